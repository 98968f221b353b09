#include "vae_dist/train/optimizer/optimizer.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <span>
#include <string>
#include <vector>

#include "support/update_references.hpp"

namespace vae_dist {
namespace {

constexpr std::size_t kSize = 19;
constexpr int kSteps = 25;

// The loss sum_i c_i (w_i - t_i)^2 / 2, whose gradient is c_i (w_i - t_i).
double curvature(std::size_t i) {
    return 0.5 + 0.1 * static_cast<double>(i);
}
double target(std::size_t i) {
    return std::sin(static_cast<double>(i));
}

// Learning rates that change, as a schedule's do.
double rate(int step) {
    return 0.05 / (1 + 0.1 * step);
}

float gradient_at(std::size_t i, double weight) {
    return static_cast<float>(curvature(i) * (weight - target(i)));
}

double minimise_one(const UpdateReference& reference, std::size_t i) {
    double weight = 1;
    std::vector<double> state(reference.states.size());
    for (int step = 1; step <= kSteps; ++step)
        weight = reference.weight_after(step, rate(step), gradient_at(i, weight), weight, state);
    return weight;
}

std::vector<float> minimise(OptimizerKind kind) {
    const auto backend = make_backend({});
    Optimizer optimizer(settings_for_updates(kind), *backend, kSize);
    std::vector<float> weights(kSize, 1.0F);
    std::vector<float> gradient(kSize);
    for (int step = 1; step <= kSteps; ++step) {
        for (std::size_t i = 0; i < kSize; ++i)
            gradient[i] = gradient_at(i, weights[i]);
        optimizer.begin(step, rate(step));
        // In two parts, as ranks share the work.
        constexpr std::size_t kCut = 7;
        const std::span<float> all(weights);
        optimizer.apply(kCut, std::span(gradient).subspan(kCut), all.subspan(kCut));
        optimizer.apply(0, std::span(gradient).first(kCut), all.first(kCut));
    }
    return weights;
}

TEST(Optimizer, MinimisesAsTheRulesReferenceInDouble) {
    for_update_rules([](OptimizerKind kind) {
        const std::vector<float> weights = minimise(kind);
        for (std::size_t i = 0; i < kSize; ++i)
            EXPECT_NEAR(weights[i], minimise_one(reference_of(kind), i), 1e-5) << i;
    });
}

TEST(Optimizer, StatesHaveTheirNamesAndBeginAtZero) {
    const auto backend = make_backend({});
    for_update_rules([&](OptimizerKind kind) {
        std::vector<std::string> names;
        const Optimizer optimizer(settings_for_updates(kind), *backend, kSize);
        for (const Optimizer::State& state : optimizer.states()) {
            names.push_back(state.name);
            EXPECT_EQ(state.buffer.span<float>().size(), kSize);
            for (const float value : state.buffer.span<float>())
                EXPECT_EQ(value, 0);
        }
        EXPECT_EQ(names, reference_of(kind).states);
    });
}

TEST(Optimizer, TheStatesAreAllThatARestartNeeds) {
    for_update_rules([](OptimizerKind kind) {
        const auto backend = make_backend({});
        Optimizer first(settings_for_updates(kind), *backend, kSize);
        Optimizer second(settings_for_updates(kind), *backend, kSize);
        const std::vector<float> gradient(kSize, 0.3F);
        std::vector<float> weights(kSize, 1.0F);
        const auto update = [&](Optimizer& optimizer, int step, std::vector<float>& to) {
            optimizer.begin(step, 0.01);
            optimizer.apply(0, gradient, to);
        };
        for (int step = 1; step <= 3; ++step)
            update(first, step, weights);
        for (std::size_t s = 0; s < first.states().size(); ++s) {
            const auto from = first.states()[s].buffer.span<float>();
            std::copy(from.begin(), from.end(), second.states()[s].buffer.span<float>().begin());
        }
        std::vector<float> resumed = weights;
        update(first, 4, weights);
        update(second, 4, resumed);
        EXPECT_EQ(weights, resumed);
    });
}

}  // namespace
}  // namespace vae_dist
