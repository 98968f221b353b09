#include "vae_dist/train/record/checkpoint_schedule.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <vector>

namespace vae_dist {
namespace {

using Steps = std::vector<std::int64_t>;

constexpr std::int64_t kStepsPerEpoch = 10;
constexpr std::int64_t kLastStep = 1003;

CheckpointSchedule schedule(std::optional<std::int64_t> checkpoint_every, std::optional<double> minutes,
                            std::int64_t keep_every, std::int64_t keep = 2) {
    OutputConfig output;
    output.checkpoint_every = checkpoint_every;
    output.checkpoint_every_minutes = minutes;
    output.keep_every = keep_every;
    output.keep = keep;
    return {output, kStepsPerEpoch, kLastStep};
}

Steps due_until(std::int64_t last, const CheckpointSchedule& schedule) {
    Steps due;
    for (std::int64_t step = 0; step <= last; ++step) {
        if (schedule.is_due(step)) due.push_back(step);
    }
    return due;
}

Steps remaining(const CheckpointSchedule& schedule, Steps steps, std::int64_t newest) {
    const Steps gone = schedule.superseded(steps, newest);
    std::erase_if(steps, [&](std::int64_t step) { return std::ranges::find(gone, step) != gone.end(); });
    return steps;
}

TEST(CheckpointSchedule, ByDefaultEveryEpochIsDue) {
    EXPECT_EQ(due_until(35, schedule({}, {}, 0)), (Steps{0, 10, 20, 30}));
}

TEST(CheckpointSchedule, EverySoManyEpochs) {
    EXPECT_EQ(due_until(65, schedule(3, {}, 0)), (Steps{0, 30, 60}));
    EXPECT_EQ(due_until(65, schedule(3, 5.0, 0)), (Steps{0, 30, 60})) << "minutes besides change nothing";
}

TEST(CheckpointSchedule, ByTheClockAloneNothingIsDue) {
    EXPECT_EQ(due_until(100, schedule({}, 5.0, 0)), Steps{});
}

TEST(CheckpointSchedule, WhatIsKeptForGoodIsDueToo) {
    EXPECT_EQ(due_until(65, schedule(2, {}, 3)), (Steps{0, 20, 30, 40, 60}));
    EXPECT_EQ(due_until(65, schedule({}, 5.0, 3)), (Steps{0, 30, 60}));
}

TEST(CheckpointSchedule, AsManyEpochsAsNeverCome) {
    const std::int64_t never = std::numeric_limits<std::int64_t>::max();
    EXPECT_EQ(due_until(65, schedule(never, {}, never)), Steps{0});
}

TEST(CheckpointSchedule, TheNewestOfThoseThatAreDueStay) {
    EXPECT_EQ(remaining(schedule(1, {}, 0), {0, 10, 20, 30}, 30), (Steps{20, 30}));
    EXPECT_EQ(remaining(schedule(1, {}, 0), {0}, 0), Steps{0});
    EXPECT_EQ(remaining(schedule(1, {}, 0, 1), {20, 30}, 30), Steps{30});
}

TEST(CheckpointSchedule, OthersStandInUntilTheNextThatIsDue) {
    const CheckpointSchedule every_epoch = schedule(1, {}, 0);
    EXPECT_EQ(remaining(every_epoch, {10, 20, 23}, 23), (Steps{10, 20, 23}));
    EXPECT_EQ(remaining(every_epoch, {10, 20, 21, 22, 23}, 23), (Steps{10, 20, 22, 23}));
    EXPECT_EQ(remaining(every_epoch, {10, 20, 22, 23, 30}, 30), (Steps{20, 30}));
}

TEST(CheckpointSchedule, TheEndOfTheRunStandsInForAllOthers) {
    EXPECT_EQ(remaining(schedule(1, {}, 0), {990, 1000, 1001, 1002, 1003}, 1003), (Steps{990, 1000, 1003}));
    EXPECT_EQ(remaining(schedule(1, {}, 0), {990, 1000, 1003}, 1003), (Steps{990, 1000, 1003}));
    EXPECT_EQ(remaining(schedule({}, 5.0, 0), {998, 1001, 1003}, 1003), (Steps{1001, 1003}))
        << "where nothing is due there are no others";
}

TEST(CheckpointSchedule, WhereNothingIsDueTheNewestOfAllStay) {
    EXPECT_EQ(remaining(schedule({}, 5.0, 0), {3, 7, 10, 12}, 12), (Steps{10, 12}));
}

TEST(CheckpointSchedule, SomeStayForGoodButNotTheStart) {
    EXPECT_EQ(remaining(schedule(1, {}, 3), {0, 10, 20, 30, 40, 50, 60, 70, 80}, 80),
              (Steps{30, 60, 70, 80}));
    EXPECT_EQ(remaining(schedule({}, 5.0, 3, 1), {0, 30, 60, 61, 62}, 62), (Steps{30, 60, 62}));
}

TEST(CheckpointSchedule, WhatIsLaterThanTheNewestCompleteIsLeftAlone) {
    EXPECT_EQ(remaining(schedule(1, {}, 0, 1), {10, 20, 25, 30, 40}, 20), (Steps{20, 25, 30, 40}));
}

TEST(CheckpointSchedule, TheOrderOfTheStepsDoesNotMatter) {
    const CheckpointSchedule every_epoch = schedule(1, {}, 0);
    Steps steps = {0, 10, 20, 22, 23, 24};
    const Steps gone = every_epoch.superseded(steps, 24);
    EXPECT_EQ(gone, (Steps{22, 0}));
    std::ranges::reverse(steps);
    EXPECT_EQ(every_epoch.superseded(steps, 24), gone);
}

TEST(CheckpointSchedule, WhatIsLeftDependsOnWhatIsDueNotOnWhatCameBetween) {
    const CheckpointSchedule every_epoch = schedule(2, {}, 6, 2);
    Steps undisturbed;
    Steps disturbed;
    for (std::int64_t step = 0; step <= 200; ++step) {
        const bool due = every_epoch.is_due(step);
        if (due) {
            undisturbed.push_back(step);
            undisturbed = remaining(every_epoch, undisturbed, step);
        }
        if (due || step % 7 == 3) {
            disturbed.push_back(step);
            disturbed = remaining(every_epoch, disturbed, step);
        }
        if (due) {
            EXPECT_EQ(disturbed, undisturbed) << step;
        }
    }
}

}  // namespace
}  // namespace vae_dist
