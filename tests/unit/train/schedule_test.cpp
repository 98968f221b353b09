#include "vae_dist/train/schedule.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

namespace vae_dist {
namespace {

OptimizerConfig with_schedule(const ScheduleConfig& schedule) {
    OptimizerConfig config;
    config.learning_rate = 0.25;
    config.schedule = schedule;
    return config;
}

TEST(Schedule, ConstantIsTheLearningRateInEveryStep) {
    const OptimizerConfig config = with_schedule({.name = ScheduleKind::constant});
    for (const std::int64_t step : {0, 1, 999, 1000000})
        EXPECT_EQ(learning_rate(config, step, 1000), 0.25);
}

TEST(Schedule, WarmupGrowsLinearlyFromItsFirstShareToTheWhole) {
    const OptimizerConfig config = with_schedule({.name = ScheduleKind::constant, .warmup_steps = 5});
    for (int step = 0; step < 5; ++step) {
        EXPECT_DOUBLE_EQ(learning_rate(config, step, 100), 0.25 * (step + 1) / 5) << step;
    }
    EXPECT_EQ(learning_rate(config, 5, 100), 0.25);
    EXPECT_EQ(learning_rate(config, 99, 100), 0.25);
}

TEST(Schedule, CosineBeginsAtTheWholeAndEndsAtTheFinalFraction) {
    const OptimizerConfig config = with_schedule({.name = ScheduleKind::cosine, .final_fraction = 0.1});
    EXPECT_EQ(learning_rate(config, 0, 200), 0.25);
    EXPECT_DOUBLE_EQ(learning_rate(config, 100, 200), 0.25 * 0.55);
    EXPECT_DOUBLE_EQ(learning_rate(config, 200, 200), 0.25 * 0.1);
    EXPECT_DOUBLE_EQ(learning_rate(config, 50, 200),
                     0.25 * (0.1 + 0.9 * (1 + std::cos(std::numbers::pi / 4)) / 2));
    EXPECT_DOUBLE_EQ(learning_rate(config, 1000, 200), 0.25 * 0.1) << "after the end it stays";
}

TEST(Schedule, CosineCountsFromTheEndOfTheWarmup) {
    const OptimizerConfig config = with_schedule({.name = ScheduleKind::cosine, .warmup_steps = 20});
    EXPECT_DOUBLE_EQ(learning_rate(config, 20, 120), 0.25);
    EXPECT_DOUBLE_EQ(learning_rate(config, 70, 120), 0.125);
    EXPECT_NEAR(learning_rate(config, 120, 120), 0, 1e-15);
}

TEST(Schedule, CosineOfAStatedLengthDoesNotDependOnTheRunsLength) {
    const OptimizerConfig config = with_schedule({.name = ScheduleKind::cosine, .decay_steps = 40});
    EXPECT_DOUBLE_EQ(learning_rate(config, 20, 100), 0.125);
    EXPECT_DOUBLE_EQ(learning_rate(config, 20, 100000), 0.125);
}

TEST(Schedule, StepMultipliesEverySoManySteps) {
    const OptimizerConfig config =
        with_schedule({.name = ScheduleKind::step, .every_steps = 10, .factor = 0.5});
    EXPECT_EQ(learning_rate(config, 9, 100), 0.25);
    EXPECT_EQ(learning_rate(config, 10, 100), 0.125);
    EXPECT_EQ(learning_rate(config, 19, 100), 0.125);
    EXPECT_EQ(learning_rate(config, 35, 100), 0.25 / 8);
}

TEST(Schedule, ExponentialReachesTheFactorInTheCourseOfSoManySteps) {
    const OptimizerConfig config = with_schedule(
        {.name = ScheduleKind::exponential, .warmup_steps = 4, .every_steps = 10, .factor = 0.5});
    EXPECT_EQ(learning_rate(config, 4, 100), 0.25);
    EXPECT_DOUBLE_EQ(learning_rate(config, 14, 100), 0.125);
    EXPECT_DOUBLE_EQ(learning_rate(config, 9, 100), 0.25 * std::sqrt(0.5));
}

TEST(Schedule, KlWeightGrowsLinearlyToBeta) {
    const ObjectiveConfig warmed = {.beta = 2, .kl_warmup_steps = 4};
    EXPECT_EQ(kl_weight(warmed, 0), 0.5);
    EXPECT_EQ(kl_weight(warmed, 2), 1.5);
    EXPECT_EQ(kl_weight(warmed, 3), 2);
    EXPECT_EQ(kl_weight(warmed, 1000), 2);
    EXPECT_EQ(kl_weight({.beta = 0.5}, 0), 0.5);
}

}  // namespace
}  // namespace vae_dist
