#include "support/thread_communicator.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <future>

#include "vae_dist/core/error.hpp"

namespace vae_dist {
namespace {

/// The message with which run_ranks fails.
std::string failure_of(int ranks, const std::function<void(Communicator&)>& body,
                       std::chrono::milliseconds patience = std::chrono::seconds(30)) {
    try {
        run_ranks(ranks, body, patience);
    } catch (const Error& error) {
        return error.what();
    }
    return "no failure";
}

TEST(ThreadCommunicator, RunsTheBodyOnceForEachRank) {
    std::atomic<int> seen = 0;
    run_ranks(4, [&](Communicator& communicator) { seen += 1 << (4 * communicator.rank()); });
    EXPECT_EQ(seen, 0x1111);
}

TEST(ThreadCommunicator, ARankThatThrowsFreesTheOthersAndItsErrorIsToldFirst) {
    EXPECT_EQ(failure_of(3,
                         [](Communicator& communicator) {
                             if (communicator.rank() == 1) throw_failure("rank 1 broke");
                             communicator.barrier();
                         }),
              "rank 1 broke");
}

TEST(ThreadCommunicator, ARankThatReturnsEarlyFreesTheOtherWhoNamesIt) {
    EXPECT_EQ(failure_of(2,
                         [](Communicator& communicator) {
                             if (communicator.rank() != 1) communicator.barrier();
                         }),
              "barrier waits in vain for rank 1 (gone)");
}

TEST(ThreadCommunicator, AfterItsPatienceACollectiveNamesTheRanksThatDidNotCome) {
    std::promise<void> failed;
    const auto body = [&](Communicator& communicator) {
        if (communicator.rank() == 1) return failed.get_future().wait();
        try {
            communicator.barrier();
        } catch (...) {
            failed.set_value();
            throw;
        }
    };
    EXPECT_EQ(failure_of(2, body, std::chrono::milliseconds(10)), "barrier waits in vain for rank 1");
}

TEST(ThreadCommunicator, AMaximumWithPatienceEndsWithoutAnAnswerWhereARankDoesNotCome) {
    run_ranks(2, [over = std::make_shared<std::promise<void>>()](Communicator& communicator) {
        if (communicator.rank() == 1) return over->get_future().wait();
        EXPECT_EQ(communicator.all_reduce_max_within(3, std::chrono::milliseconds(10)), std::nullopt);
        over->set_value();
    });
}

TEST(ThreadCommunicator, WaitingAsLongAsItTakesEndsInAFailureThatNamesTheRankThatDoesNotCome) {
    std::promise<void> failed;
    const auto body = [&](Communicator& communicator) {
        if (communicator.rank() == 1) return failed.get_future().wait();
        try {
            communicator.all_reduce_max_within(0, std::chrono::milliseconds::max());
        } catch (...) {
            failed.set_value();
            throw;
        }
    };
    EXPECT_EQ(failure_of(2, body, std::chrono::milliseconds(10)),
              "all_reduce_max_within waits in vain for rank 1");
}

constexpr auto kNever = [] { return false; };

TEST(ThreadCommunicator, ARankThatThrowsFreesThoseThatWaitForSharedMemory) {
    EXPECT_EQ(failure_of(3,
                         [](Communicator& communicator) {
                             if (communicator.rank() == 1) throw_failure("rank 1 broke");
                             communicator.wait_until(kNever);
                         }),
              "rank 1 broke");
}

TEST(ThreadCommunicator, WhereAllOthersHaveReturnedAWaitForSharedMemoryFails) {
    EXPECT_EQ(failure_of(3,
                         [](Communicator& communicator) {
                             if (communicator.rank() == 1) communicator.wait_until(kNever);
                         }),
              "wait_until waits in vain for rank 0 (gone) and rank 2 (gone)");
}

TEST(ThreadCommunicator, WhatARankDidBeforeItReturnedEndsAWait) {
    for (int i = 0; i < 50; ++i) {
        std::atomic<bool> done = false;
        run_ranks(2, [&](Communicator& communicator) {
            if (communicator.rank() == 1) {
                done = true;
            } else {
                communicator.wait_until([&] { return done.load(); });
            }
        });
    }
}

TEST(ThreadCommunicator, AWaitForSharedMemoryEndsWithItsPatience) {
    std::promise<void> failed;
    const auto body = [&](Communicator& communicator) {
        if (communicator.rank() == 1) return failed.get_future().wait();
        EXPECT_THROW(communicator.wait_until(kNever), Error);
        failed.set_value();
        communicator.barrier();
    };
    EXPECT_EQ(failure_of(2, body, std::chrono::milliseconds(10)), "wait_until waits in vain for rank 1");
}

TEST(ThreadCommunicator, AReceiveFromARankThatHasReturnedFails) {
    std::promise<void> failed;
    const auto body = [&](Communicator& communicator) {
        const auto messages = communicator.make_messages();
        std::byte byte{};
        if (communicator.rank() == 1) return;
        if (communicator.rank() == 2) return failed.get_future().wait();
        const std::size_t n = messages->receive(std::span(&byte, 1), 1);
        try {
            messages->wait_for(n);
        } catch (...) {
            failed.set_value();
            throw;
        }
    };
    EXPECT_EQ(failure_of(3, body), "a receive waits in vain for rank 1 (gone)");
}

TEST(ThreadCommunicator, ASendThatIsNotReceivedIsNotComplete) {
    const auto body = [&](Communicator& communicator) {
        const auto messages = communicator.make_messages();
        const std::byte byte{};
        if (communicator.rank() == 1) return;
        messages->send(std::span(&byte, 1), 1);
        messages->wait_all();
    };
    EXPECT_EQ(failure_of(2, body), "a send waits in vain for rank 1 (gone)");
}

TEST(ThreadCommunicator, DifferentCallsDoNotMeet) {
    const std::string message = failure_of(2, [](Communicator& communicator) {
        std::vector<float> values(communicator.rank() == 0 ? 3 : 4);
        communicator.all_reduce_sum(std::span(values));
    });
    EXPECT_NE(message.find("3 elements"), std::string::npos) << message;
    EXPECT_NE(message.find("4 elements"), std::string::npos) << message;
}

TEST(ThreadCommunicator, AbortFreesTheOthers) {
    EXPECT_EQ(failure_of(2,
                         [](Communicator& communicator) {
                             if (communicator.rank() == 0) {
                                 communicator.abort(3);
                             }
                             communicator.barrier();
                         }),
              "rank 0 aborted with exit status 3");
}

}  // namespace
}  // namespace vae_dist
