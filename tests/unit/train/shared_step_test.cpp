// Training steps shared among ranks: the same bits however many ranks there are, and however they meet.

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "support/no_files.hpp"
#include "support/thread_communicator.hpp"
#include "unit/train/small_checkpoint.hpp"
#include "vae_dist/core/error.hpp"
#include "vae_dist/train/run/start.hpp"
#include "vae_dist/train/step/training_step.hpp"

namespace vae_dist {
namespace {

constexpr int kSteps = 3;

// What rank 0 knows after some steps.
struct State {
    std::vector<float> values;
    std::vector<std::vector<float>> optimizer;
    std::vector<double> norms;
    std::vector<double> elbos;
    std::vector<bool> applied;

    bool operator==(const State&) const = default;
};

// Several chunks, so that every rank has some.
Config wide_config() {
    Config config = small_config();
    config.model.encoder.hidden = {70, 60};
    config.model.decoder.hidden = {90, 80};
    config.train.batch_size = 18;
    return config;
}

std::vector<float> copy_of(std::span<const float> values) {
    return {values.begin(), values.end()};
}

// Before the steps, `prepare` may change the weights, equally on every rank.
State state_after(const Config& config, int ranks, const std::function<void(Replica&)>& prepare = {}) {
    State state;
    run_ranks(ranks, [&](Communicator& communicator) {
        const TrainingData data(config, communicator);
        const StartedReplica started = start_replica(config, data, std::nullopt, communicator, Log(0));
        Replica& replica = *started.replica;
        if (prepare) prepare(replica);
        const auto step = make_training_step(config, 10, replica, communicator);
        const auto loader = data.start_loader(0, 0);
        for (int i = 0; i < kSteps; ++i) {
            const StepResult result = step->run(*loader, i, i);
            if (communicator.rank() != 0) continue;
            state.norms.push_back(result.gradient_norm);
            state.elbos.push_back(result.mean.elbo());
            state.applied.push_back(result.applied);
        }
        step->collect_state();
        if (communicator.rank() != 0) return;
        state.values = copy_of(replica.vae.parameters().values);
        for (const Optimizer::State& array : replica.optimizer.states())
            state.optimizer.push_back(copy_of(array.buffer.span<float>()));
    });
    return state;
}

std::map<std::string, Config> variants() {
    std::map<std::string, Config> variants;
    const auto add = [&](const std::string& name, const std::function<void(Config&)>& change) {
        Config config = wide_config();
        change(config);
        variants[name] = config;
    };
    for (std::size_t i = 0; i < kUpdateNames.size(); ++i)
        add(kUpdateNames[i], [=](Config& c) { c.optimizer.name = static_cast<OptimizerKind>(i); });
    add("clipped", [](Config& c) { c.optimizer.clip_norm = 0.5; });
    add("skip", [](Config& c) { c.train.on_nonfinite = NonFinitePolicy::skip; });
    add("penalties", [](Config& c) { c.optimizer.l1 = c.optimizer.l2 = 0.01; });
    add("bfloat16", [](Config& c) { c.train.precision = Precision::bfloat16; });
    add("importance weights", [](Config& c) { c.objective.importance_samples = 3; });
    add("a batch smaller than the slices of all", [](Config& c) { c.train.batch_size = 4; });
    return variants;
}

TEST(SharedStep, IsTheSameBitsOnEveryNumberOfRanksWithAndWithoutSharedMemory) {
    for (const auto& [name, config] : variants()) {
        const State one = state_after(config, 1);
        ASSERT_EQ(one.applied, (std::vector<bool>{true, true, true})) << name;
        for (const int ranks : {2, 3, 4}) {
            EXPECT_TRUE(state_after(config, ranks) == one) << name << " on " << ranks << " ranks";
            Config apart = config;
            apart.compute.shared_memory = Switch::off;
            EXPECT_TRUE(state_after(apart, ranks) == one) << name << " on " << ranks << " ranks, by messages";
            apart.compute.threads = 3;
            EXPECT_TRUE(state_after(apart, ranks) == one)
                << name << " on " << ranks << " ranks of 3 threads, by messages";
            apart.compute.overlap = Switch::off;
            EXPECT_TRUE(state_after(apart, ranks) == one)
                << name << " on " << ranks << " ranks, by messages after the backward pass";
        }
    }
}

TEST(SharedStep, IsTheSameBitsWhereTheSystemGivesNoMemoryToShare) {
    const State one = state_after(wide_config(), 1);
    const NoFiles none;
    for (const Switch shared : {Switch::automatic, Switch::off}) {
        Config config = wide_config();
        config.compute.shared_memory = shared;
        EXPECT_TRUE(state_after(config, 3) == one);
    }
}

TEST(SharedStep, Float32ReductionIsCloseToTheExactOne) {
    for (const Reduction reduction : {Reduction::float32, Reduction::bfloat16}) {
        for (const Switch shared : {Switch::automatic, Switch::off}) {
            Config config = wide_config();
            const State exact = state_after(config, 3);
            config.train.reduction = reduction;
            config.compute.shared_memory = shared;
            const State other = state_after(config, 3);
            const double tolerance = reduction == Reduction::float32 ? 1e-5 : 1e-2;
            EXPECT_NEAR(other.norms[0], exact.norms[0], tolerance * exact.norms[0]);
            EXPECT_NEAR(other.elbos[2], exact.elbos[2], tolerance * std::abs(exact.elbos[2]));
        }
    }
}

// Squares of such weights overflow in the penalty's gradient, though the loss is finite.
TEST(SharedStep, ASkippedStepLeavesWeightsAndOptimizerAsTheyWereOnAllRanks) {
    Config config = wide_config();
    config.train.on_nonfinite = NonFinitePolicy::skip;
    config.optimizer.l2 = 1e30;
    const auto enlarge = [](Replica& replica) {
        replica.vae.parameters().values.back() = 0;  // padding: of no effect, but always there
        const Parameter& bias = replica.vae.layout().find("encoder/0/bias");
        replica.vae.parameters().values[static_cast<std::size_t>(bias.offset)] = 1e20F;
    };
    for (const int ranks : {1, 3}) {
        const State state = state_after(config, ranks, enlarge);
        EXPECT_EQ(state.applied, (std::vector<bool>{false, false, false}));
        for (const auto& array : state.optimizer)
            EXPECT_EQ(array, std::vector<float>(array.size()));
    }
}

TEST(SharedStep, AnErrorOfOneRankIsThrownOnAll) {
    for (const Switch shared : {Switch::automatic, Switch::off}) {
        Config config = wide_config();
        config.compute.shared_memory = shared;
        std::atomic<int> told = 0;
        run_ranks(3, [&](Communicator& communicator) {
            const TrainingData data(config, communicator);
            const StartedReplica started = start_replica(config, data, std::nullopt, communicator, Log(0));
            const auto step = make_training_step(config, 10, *started.replica, communicator);
            const auto loader = data.start_loader(0, 0);
            step->run(*loader, 0, 0);
            try {
                step->run(*loader, 1, 1, [&]() -> StepWishes {
                    if (communicator.rank() == 1) throw_failure("the disk is full");
                    return {};
                });
            } catch (const Error& error) {
                EXPECT_NE(std::string(error.what()).find("the disk is full"), std::string::npos);
                ++told;
            }
        });
        EXPECT_EQ(told, 3);
    }
}

}  // namespace
}  // namespace vae_dist
