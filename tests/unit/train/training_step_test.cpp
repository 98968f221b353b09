#include "vae_dist/train/step/training_step.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "unit/train/small_checkpoint.hpp"
#include "vae_dist/comm/self_communicator.hpp"
#include "vae_dist/train/run/start.hpp"

namespace vae_dist {
namespace {

constexpr double kRate = 0.01;

// Plain gradient descent on a batch of all samples, so that a step shows its gradient.
Config descent() {
    Config config = small_config();
    config.train.batch_size = config.data.synthetic->samples;
    config.optimizer.name = OptimizerKind::sgd;
    config.optimizer.momentum = 0;
    config.optimizer.learning_rate = kRate;
    return config;
}

// One step of one rank.
struct OneStep {
    explicit OneStep(const Config& config, float weights_times = 1) {
        SelfCommunicator alone;
        const TrainingData data(config, alone);
        const StartedReplica started = start_replica(config, data, std::nullopt, alone, Log(0));
        const ParameterStore& store = started.replica->vae.parameters();
        for (float& weight : store.values)
            weight *= weights_times;
        before.assign(store.values.begin(), store.values.end());
        const auto step = make_training_step(config, 10, *started.replica, alone);
        const auto loader = data.start_loader(0, 0);
        result = step->run(*loader, 0, 0);
        after.assign(store.values.begin(), store.values.end());
    }

    // Of the gradient that the weights moved by.
    double moved_by() const {
        double squares = 0;
        for (std::size_t i = 0; i < before.size(); ++i) {
            squares += std::pow((static_cast<double>(before[i]) - after[i]) / kRate, 2);
        }
        return std::sqrt(squares);
    }

    std::vector<float> before;
    std::vector<float> after;
    StepResult result;
};

TEST(TrainingStep, MovesTheWeightsByTheWholeGradient) {
    const OneStep step(descent());
    EXPECT_TRUE(step.result.applied);
    EXPECT_EQ(step.result.samples, 40);
    EXPECT_EQ(step.result.learning_rate, kRate);
    EXPECT_GT(step.result.gradient_norm, 0);
    EXPECT_NEAR(step.moved_by(), step.result.gradient_norm, 1e-4 * step.result.gradient_norm);
}

TEST(TrainingStep, ClippingLimitsTheMoveAndReportsTheNormBefore) {
    Config config = descent();
    const double whole = OneStep(config).result.gradient_norm;
    config.optimizer.clip_norm = whole / 4;
    const OneStep clipped(config);
    EXPECT_EQ(clipped.result.gradient_norm, whole);
    EXPECT_NEAR(clipped.moved_by(), whole / 4, 1e-3 * whole);
    config.optimizer.clip_norm = whole * 2;
    EXPECT_EQ(OneStep(config).after, OneStep(descent()).after) << "a gradient below the limit is left alone";
}

TEST(TrainingStep, PenaltiesPullTheWeightsTowardsZero) {
    const OneStep plain(descent());
    Config config = descent();
    config.optimizer.l1 = 0.5;
    config.optimizer.l2 = 2;
    const OneStep penalised(config);
    for (std::size_t i = 0; i < plain.before.size(); ++i) {
        const double weight = plain.before[i];
        const double sign = (weight > 0 ? 1 : 0) - (weight < 0 ? 1 : 0);
        EXPECT_NEAR(penalised.after[i], plain.after[i] - kRate * (2 * weight + 0.5 * sign), 1e-6);
    }
}

TEST(TrainingStep, TheGradientIsThatOfTheMeanHoweverManyVirtualRanks) {
    Config config = descent();
    config.train.virtual_ranks = 1;
    const OneStep one(config);
    config.train.virtual_ranks = 7;
    const OneStep seven(config);
    EXPECT_NEAR(one.result.mean["reconstruction"], seven.result.mean["reconstruction"], 1e-5);
    EXPECT_NEAR(one.result.mean["kl"], seven.result.mean["kl"], 1e-5);
    EXPECT_NEAR(one.result.gradient_norm, seven.result.gradient_norm, 1e-4 * one.result.gradient_norm);
    for (std::size_t i = 0; i < one.after.size(); ++i)
        EXPECT_NEAR(one.after[i], seven.after[i], 1e-6);
}

// The same draws, in passes of some rows each and all in one.
TEST(TrainingStep, ASliceCutIntoPassesGivesTheGradientOfTheWhole) {
    constexpr std::int64_t kDraws = 2000;
    Config config = descent();
    config.objective.importance_samples = kDraws;
    config.train.virtual_ranks = 1;
    const OneStep cut(config);
    ASSERT_EQ(passes_of(config.train.batch_size, kDraws), 5);
    config.train.virtual_ranks = 10;
    ASSERT_EQ(passes_of(config.train.batch_size / 10, kDraws), 1);
    const OneStep whole(config);
    EXPECT_TRUE(cut.result.applied);
    EXPECT_NEAR(cut.result.mean["iwae_bound"], whole.result.mean["iwae_bound"], 1e-5);
    EXPECT_NEAR(cut.result.mean["reconstruction"], whole.result.mean["reconstruction"], 1e-5);
    EXPECT_NEAR(cut.result.gradient_norm, whole.result.gradient_norm, 1e-4 * whole.result.gradient_norm);
    for (std::size_t i = 0; i < cut.after.size(); ++i)
        EXPECT_NEAR(cut.after[i], whole.after[i], 1e-6);
}

TEST(TrainingStep, TheImportanceWeightedBoundLiesAboveTheElboAndGrowsWithTheDraws) {
    Config config = descent();
    double last = -std::numeric_limits<double>::infinity();
    for (const std::int64_t draws : {2, 10, 100, 1000}) {
        config.objective.importance_samples = draws;
        const TermValues mean = OneStep(config).result.mean;
        EXPECT_GT(mean["iwae_bound"], mean.elbo());
        EXPECT_GT(mean["iwae_bound"], last) << draws;
        last = mean["iwae_bound"];
    }
}

TEST(TrainingStep, ABatchLargerThanTheDataTrainsWithSeveralDrawsToo) {
    Config config = descent();
    config.objective.importance_samples = 2000;
    const OneStep all(config);
    config.train.batch_size = 1'000'000'000;
    const OneStep larger(config);
    EXPECT_TRUE(larger.result.applied);
    EXPECT_EQ(larger.after, all.after);
}

TEST(Passes, OfABatchKeepTheDecodersRowsBoundedAndAreAsManyAsAreReckonedWith) {
    SelfCommunicator alone;
    Config config = descent();
    config.train.virtual_ranks = 2;
    for (const std::int64_t draws : {1, 2, 3000, 5000, 16384, 20000}) {
        config.objective.importance_samples = draws;
        const TrainingData data(config, alone);
        const auto loader = data.start_loader(0, 0);
        const Batch& batch = loader->next();
        EXPECT_EQ(std::ssize(batch.passes), 2 * passes_of(20, draws)) << draws;
        for (const Slice& pass : batch.passes) {
            EXPECT_LE(std::ssize(pass.rows), rows_a_pass(20, draws));
            EXPECT_TRUE(draws == 1 || pass.rows.size() == 1 || std::ssize(pass.rows) * draws <= 16384);
        }
    }
}

TEST(TrainingStep, WhereANumberIsNotFiniteTheWeightsStayAsTheyWere) {
    const OneStep step(descent(), 1e30F);
    EXPECT_FALSE(step.result.applied);
    EXPECT_EQ(step.before, step.after);
}

TEST(TrainingStep, TakesTheScheduleOfItsStep) {
    Config config = descent();
    config.objective = {.beta = 3, .kl_warmup_steps = 6};
    config.optimizer.schedule.warmup_steps = 4;
    const OneStep step(config);
    EXPECT_EQ(step.result.beta, 0.5);
    EXPECT_EQ(step.result.learning_rate, kRate / 4);
}

}  // namespace
}  // namespace vae_dist
