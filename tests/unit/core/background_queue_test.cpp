#include "vae_dist/core/background_queue.hpp"

#include <gtest/gtest.h>

#include <future>
#include <numeric>
#include <vector>

#include "support/expect_error.hpp"

namespace vae_dist {
namespace {

[[noreturn]] void fail() {
    throw_failure("the disk is full");
}

void expect_failed(const std::function<void()>& action) {
    expect_error(ErrorKind::failure, {"the disk is full"}, action);
}

TEST(BackgroundQueue, DoesJobsInTheirOrderOnAnotherThread) {
    std::vector<int> done;
    std::thread::id by;
    BackgroundQueue queue;
    for (int i = 0; i < 1000; ++i) {
        queue.post([&, i] {
            done.push_back(i);
            by = std::this_thread::get_id();
        });
    }
    queue.wait();
    std::vector<int> expected(1000);
    std::iota(expected.begin(), expected.end(), 0);
    EXPECT_EQ(done, expected);
    EXPECT_NE(by, std::this_thread::get_id());
}

TEST(BackgroundQueue, TakesJobsWhileOneIsUnderWay) {
    std::promise<void> gate;
    int done = 0;
    BackgroundQueue queue;
    queue.post([opened = gate.get_future().share()] { opened.wait(); });
    for (int i = 0; i < 10; ++i)
        queue.post([&] { ++done; });
    gate.set_value();
    queue.wait();
    EXPECT_EQ(done, 10);
    EXPECT_EQ(queue.error(), nullptr);
}

TEST(BackgroundQueue, WithoutJobsThereIsNothingToWaitFor) {
    BackgroundQueue queue;
    EXPECT_NO_THROW(queue.wait());
}

TEST(BackgroundQueue, WhatComesAfterAFailureIsNotDone) {
    std::promise<void> gate;
    bool done = false;
    BackgroundQueue queue;
    queue.post([opened = gate.get_future().share()] {
        opened.wait();
        fail();
    });
    queue.post([&] { done = true; });
    EXPECT_EQ(queue.error(), nullptr);
    gate.set_value();
    expect_failed([&] { queue.wait(); });
    EXPECT_FALSE(done);
}

TEST(BackgroundQueue, AFailureComesOutOfEveryLaterCall) {
    BackgroundQueue queue;
    queue.post(fail);
    for (int i = 0; i < 2; ++i)
        expect_failed([&] { queue.wait(); });
    expect_failed([&] { queue.post([] { FAIL() << "it was taken"; }); });
    ASSERT_NE(queue.error(), nullptr);
    expect_failed([&] { std::rethrow_exception(queue.error()); });
}

TEST(BackgroundQueue, DoesWhatItHasTakenBeforeItGoes) {
    int done = 0;
    {
        std::promise<void> gate;
        BackgroundQueue queue;
        queue.post([opened = gate.get_future().share()] { opened.wait(); });
        for (int i = 0; i < 10; ++i)
            queue.post([&] { ++done; });
        gate.set_value();
    }
    EXPECT_EQ(done, 10);
}

TEST(BackgroundQueue, GoesWithAFailureThatNobodyAskedFor) {
    BackgroundQueue queue;
    queue.post(fail);
}

}  // namespace
}  // namespace vae_dist
