// A GoogleTest program of which every rank runs every test. Rank 0 prints as usual; the others print failures
// only. A rank with a failed test, or in one test for too long, says so and ends the job: the others may wait
// for it in a collective.

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "mpi_world.hpp"
#include "vae_dist/comm/mpi_communicator.hpp"

namespace vae_dist {

namespace {

Communicator* world = nullptr;

std::string full_name(const testing::TestInfo& test) {
    return std::string(test.test_suite_name()) + "." + test.name();
}

class RankListener final : public testing::EmptyTestEventListener {
 public:
    void OnTestStart(const testing::TestInfo& test) override {
        const std::lock_guard lock(mutex_);
        running_ = full_name(test);
        started_ = Clock::now();
    }

    void OnTestPartResult(const testing::TestPartResult& result) override {
        if (!result.failed()) return;
        std::fprintf(stderr, "rank %d: %s:%d: %s\n", world->rank(),
                     result.file_name() ? result.file_name() : "?", result.line_number(), result.summary());
    }

    void OnTestEnd(const testing::TestInfo& test) override {
        if (test.result()->Failed()) end_job("failed", full_name(test));
        const std::lock_guard lock(mutex_);
        running_.clear();
    }

 private:
    using Clock = std::chrono::steady_clock;
    static constexpr std::chrono::seconds kPatience{60};

    static void end_job(const char* what, const std::string& test) {
        std::fprintf(stderr, "rank %d: %s in %s\n", world->rank(), what, test.c_str());
        world->abort(1);
    }

    void watch(const std::stop_token& stop) {
        std::unique_lock lock(mutex_);
        while (!wake_.wait_for(lock, stop, std::chrono::seconds(1), [] { return false; }) &&
               !stop.stop_requested()) {
            if (!running_.empty() && Clock::now() - started_ > kPatience) end_job("hangs", running_);
        }
    }

    std::mutex mutex_;
    std::condition_variable_any wake_;
    std::string running_;
    Clock::time_point started_;
    std::jthread watcher_{[this](const std::stop_token& stop) { watch(stop); }};
};

}  // namespace

Communicator& mpi_world() {
    return *world;
}

}  // namespace vae_dist

int main(int argc, char** argv) {
    const vae_dist::MpiSession session(argc, argv);
    const std::unique_ptr<vae_dist::Communicator> communicator = vae_dist::make_mpi_communicator();
    vae_dist::world = communicator.get();

    testing::InitGoogleTest(&argc, argv);
    auto& listeners = testing::UnitTest::GetInstance()->listeners();
    if (communicator->rank() != 0) delete listeners.Release(listeners.default_result_printer());
    listeners.Append(new vae_dist::RankListener);
    return RUN_ALL_TESTS();
}
