#include "vae_dist/train/run/time_limit.hpp"

#include <gtest/gtest.h>

namespace vae_dist {
namespace {

using namespace std::chrono_literals;

// Some moment; the limits below are told in time left until it.
const TimeLimit::Clock::time_point kDeadline(1000h);

bool is_reached(const TimeLimit& limit, TimeLimit::Clock::duration left, bool validation_is_next = false) {
    return limit.is_reached(kDeadline - left, validation_is_next);
}

TEST(TimeLimit, WithoutADeadlineThereIsAlwaysTime) {
    TimeLimit limit(std::nullopt);
    limit.step_took(1e9s);
    EXPECT_FALSE(limit.is_reached(TimeLimit::Clock::time_point::max(), true));
}

TEST(TimeLimit, ASecondIsLeftForLeaving) {
    const TimeLimit limit(kDeadline);
    EXPECT_FALSE(is_reached(limit, 1000ms));
    EXPECT_TRUE(is_reached(limit, 999ms));
    EXPECT_TRUE(is_reached(limit, -5s));
}

TEST(TimeLimit, StepAndSaveCountTwice) {
    TimeLimit limit(kDeadline);
    limit.step_took(3s);
    limit.save_took(10s);
    EXPECT_FALSE(is_reached(limit, 27000ms));
    EXPECT_TRUE(is_reached(limit, 26999ms));
}

TEST(TimeLimit, AValidationCountsOnlyWhereOneComesNext) {
    TimeLimit limit(kDeadline);
    limit.step_took(3s);
    limit.validation_took(20s);
    EXPECT_FALSE(is_reached(limit, 7s, false));
    EXPECT_TRUE(is_reached(limit, 46999ms, true));
    EXPECT_FALSE(is_reached(limit, 47s, true));
}

TEST(TimeLimit, TheSlowestOfEachIsReckonedWith) {
    TimeLimit limit(kDeadline);
    for (const auto time : {1s, 2s, 5s}) {
        limit.step_took(time);
        limit.validation_took(10 * time);
        limit.save_took(100 * time);
    }
    EXPECT_FALSE(is_reached(limit, 1111s, true));
    EXPECT_TRUE(is_reached(limit, 1110s, true));
    EXPECT_FALSE(is_reached(limit, 1011s, false));
    EXPECT_TRUE(is_reached(limit, 1010s, false));
}

TEST(TimeLimit, OneSlowStepIsForgottenInTimeButNotAtOnce) {
    TimeLimit limit(kDeadline);
    limit.step_took(1h);
    limit.step_took(1s);
    EXPECT_TRUE(is_reached(limit, 1h));
    for (int step = 0; step < 200; ++step)
        limit.step_took(1s);
    EXPECT_FALSE(is_reached(limit, 4s));
    EXPECT_TRUE(is_reached(limit, 2s));
}

TEST(TimeLimit, ASlowSaveIsNotForgotten) {
    TimeLimit limit(kDeadline);
    limit.save_took(100s);
    for (int save = 0; save < 1000; ++save)
        limit.save_took(1s);
    EXPECT_TRUE(is_reached(limit, 200s));
}

}  // namespace
}  // namespace vae_dist
