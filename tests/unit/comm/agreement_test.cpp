#include "vae_dist/comm/agreement.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <thread>

#include "support/thread_communicator.hpp"
#include "vae_dist/core/error.hpp"

namespace vae_dist {
namespace {

// What both ranks agree on is pinned by the communicators' contract; here, what happens where they do not.

TEST(RunTogether, AFailedRankWhosePatienceEndsThrowsItsOwnErrorUnmarked) {
    std::promise<void> thrown;
    run_ranks(2, [&](Communicator& communicator) {
        if (communicator.rank() == 0) return thrown.get_future().wait();  // is at work all the while
        try {
            const auto fail = [] { throw_input_error("row 3 of a.h5 is NaN"); };
            run_together(communicator, fail, std::chrono::milliseconds(10));
            ADD_FAILURE() << "nothing was thrown";
        } catch (const Error& error) {
            EXPECT_FALSE(error.on_all_ranks());
            EXPECT_EQ(error.kind(), ErrorKind::input);
            EXPECT_STREQ(error.what(), "row 3 of a.h5 is NaN");
        }
        thrown.set_value();
    });
}

TEST(RunTogether, ARankThatIsDoneWaitsLongerThanThePatienceOfAFailedOne) {
    run_ranks(2, [](Communicator& communicator) {
        int times = 0;
        const auto work = [&] {
            if (communicator.rank() == 0) std::this_thread::sleep_for(std::chrono::milliseconds(50));
            ++times;
        };
        EXPECT_NO_THROW(run_together(communicator, work, std::chrono::milliseconds(1)));
        EXPECT_EQ(times, 1);
    });
}

}  // namespace
}  // namespace vae_dist
