#include "vae_dist/comm/failure_detector.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <thread>

#include "captured_output.hpp"
#include "support/thread_communicator.hpp"
#include "vae_dist/comm/self_communicator.hpp"
#include "vae_dist/core/error.hpp"

namespace vae_dist {
namespace {

using namespace std::chrono_literals;

FailureDetectorOptions with_warning(std::chrono::milliseconds warning) {
    FailureDetectorOptions options;
    options.warning = warning;
    options.end_process = [](int status) { ADD_FAILURE() << "ended with status " << status; };
    return options;
}

TEST(FailureDetector, ReportsNothingOfRanksThatWorkTogether) {
    CapturedOutput output;
    run_ranks(4, [](Communicator& inner) {
        const Log log(inner.rank());
        FailureDetector detector(inner, with_warning(60s), log);
        Communicator& communicator = detector.communicator();
        EXPECT_EQ(communicator.name(), inner.name());
        EXPECT_EQ(communicator.size(), 4);
        for (int i = 0; i < 100; ++i) {
            communicator.set_activity("counting");
            std::int64_t one = 1;
            communicator.all_reduce_sum(std::span(&one, 1));
            EXPECT_EQ(one, 4);
        }
    });
    EXPECT_EQ(output.text(), "");
}

TEST(FailureDetector, NamesTheRankThatIsWaitedForAndWhatItDoesThenThatItCame) {
    CapturedOutput output;
    run_ranks(
        3,
        [&](Communicator& inner) {
            const Log log(inner.rank());
            FailureDetector detector(inner, with_warning(2s), log);
            detector.communicator().set_activity(inner.rank() == 1 ? "reading data" : "waiting");
            inner.barrier();
            if (inner.rank() == 1) {
                EXPECT_TRUE(output.wait_for("vae_dist: warning: ")) << output.text();
            }
            detector.communicator().barrier();
            EXPECT_TRUE(output.wait_for("go on after")) << output.text();
            inner.barrier();
        },
        2min);
    const std::string text = output.text();
    // On a busy machine others may be late too, or a rank may be silent: the first reporting rank then warns,
    // too.
    EXPECT_NE(text.find("rank 1 (host "), std::string::npos) << text;
    EXPECT_NE(text.find("in 'reading data'"), std::string::npos) << text;
}

TEST(FailureDetector, EndsAllRanksWhereOneDoesNotComeWithinTheLimit) {
    CapturedOutput output;
    std::latch ended(3);
    std::atomic<int> statuses = 0;
    const auto body = [&](Communicator& inner) {
        const Log log(inner.rank());
        FailureDetectorOptions options;
        options.limit = 1s;
        options.end_process = [&](int status) {
            statuses += status;
            inner.abort(status);
            ended.count_down();
        };
        FailureDetector detector(inner, options, log);
        detector.communicator().set_activity("reading data");
        if (inner.rank() != 2) {
            EXPECT_THROW(detector.communicator().barrier(), Error);
        }
        ended.wait();
    };
    run_ranks(3, body, 2min);
    EXPECT_EQ(statuses, 3);
    const std::string text = output.text();
    const std::size_t error = text.find("vae_dist: error: ");
    ASSERT_NE(error, std::string::npos) << text;
    EXPECT_NE(text.find("rank 2 (host ", error), std::string::npos) << text;
}

TEST(FailureDetector, DoesNotReportARankThatLeaves) {
    CapturedOutput output;
    for (const int first : {0, 2}) {
        run_ranks(3, [&](Communicator& inner) {
            const Log log(inner.rank());
            auto detector = std::make_unique<FailureDetector>(inner, with_warning(60s), log);
            if (inner.rank() == first) detector.reset();
            inner.barrier();
        });
    }
    EXPECT_EQ(output.text(), "");
}

TEST(FailureDetector, DoesNothingForOneRank) {
    SelfCommunicator self;
    const Log log(0);
    FailureDetector detector(self, {}, log);
    EXPECT_EQ(detector.communicator().name(), "self");
    EXPECT_EQ(detector.communicator().all_reduce_max_within(3, 1ms), 3);
}

}  // namespace
}  // namespace vae_dist
