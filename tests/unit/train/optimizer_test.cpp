#include "vae_dist/train/optimizer/optimizer.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <span>
#include <string>
#include <vector>

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

OptimizerConfig config_of(OptimizerKind name) {
    OptimizerConfig config;
    config.name = name;
    return config;
}

// Learning rates that change, as a schedule's do.
double rate(int step) {
    return 0.05 / (1 + 0.1 * step);
}

// A formula for one weight: (step from 1, learning rate, gradient, weight) gives the new weight; it keeps
// state.
using Rule = std::function<double(int, double, double, double)>;

double minimise_one(const Rule& rule, std::size_t i) {
    double weight = 1;
    for (int step = 1; step <= kSteps; ++step) {
        // Gradients arrive as floats.
        const double gradient = static_cast<float>(curvature(i) * (weight - target(i)));
        weight = rule(step, rate(step), gradient, weight);
    }
    return weight;
}

std::vector<float> minimise(const OptimizerConfig& config) {
    const auto backend = make_backend({});
    const auto optimizer = make_optimizer(config, *backend, kSize);
    std::vector<float> weights(kSize, 1.0F);
    std::vector<float> gradient(kSize);
    for (int step = 1; step <= kSteps; ++step) {
        for (std::size_t i = 0; i < kSize; ++i) {
            gradient[i] = static_cast<float>(curvature(i) * (weights[i] - target(i)));
        }
        optimizer->begin(step, rate(step));
        // In two parts, as ranks share the work.
        constexpr std::size_t kCut = 7;
        const std::span<float> all(weights);
        optimizer->apply(kCut, std::span(gradient).subspan(kCut), all.subspan(kCut));
        optimizer->apply(0, std::span(gradient).first(kCut), all.first(kCut));
    }
    return weights;
}

void expect_follows(const OptimizerConfig& config, const std::function<Rule()>& make_rule) {
    const std::vector<float> weights = minimise(config);
    for (std::size_t i = 0; i < kSize; ++i)
        EXPECT_NEAR(weights[i], minimise_one(make_rule(), i), 1e-5) << i;
}

Rule adam_rule(double beta1, double beta2, double epsilon, double weight_decay) {
    return [=, m = 0.0, v = 0.0](int t, double rate_t, double gradient, double weight) mutable {
        m = beta1 * m + (1 - beta1) * gradient;
        v = beta2 * v + (1 - beta2) * gradient * gradient;
        const double m_hat = m / (1 - std::pow(beta1, t));
        const double v_hat = v / (1 - std::pow(beta2, t));
        weight *= 1 - rate_t * weight_decay;
        return weight - rate_t * m_hat / (std::sqrt(v_hat) + epsilon);
    };
}

TEST(Optimizer, AdamFollowsItsPaperWithBiasCorrection) {
    OptimizerConfig config = config_of(OptimizerKind::adam);
    config.beta1 = 0.8;
    config.beta2 = 0.99;
    config.epsilon = 1e-3;
    expect_follows(config, [] { return adam_rule(0.8, 0.99, 1e-3, 0); });
}

TEST(Optimizer, AdamWDecaysTheWeightsBesidesTheGradient) {
    OptimizerConfig config = config_of(OptimizerKind::adamw);
    config.weight_decay = 0.3;
    expect_follows(config, [] { return adam_rule(0.9, 0.999, 1e-8, 0.3); });
}

TEST(Optimizer, SgdHasMomentumAndDecay) {
    OptimizerConfig config = config_of(OptimizerKind::sgd);
    config.momentum = 0.7;
    config.weight_decay = 0.2;
    expect_follows(config, [] {
        return [velocity = 0.0](int, double rate_t, double gradient, double weight) mutable {
            velocity = 0.7 * velocity + gradient;
            return weight * (1 - rate_t * 0.2) - rate_t * velocity;
        };
    });
}

TEST(Optimizer, AdagradDividesByTheRootOfAllSquaresSoFar) {
    OptimizerConfig config = config_of(OptimizerKind::adagrad);
    config.epsilon = 1e-2;
    config.weight_decay = 0.1;
    expect_follows(config, [] {
        return [squares = 0.0](int, double rate_t, double gradient, double weight) mutable {
            squares += gradient * gradient;
            return weight * (1 - rate_t * 0.1) - rate_t * gradient / (std::sqrt(squares) + 1e-2);
        };
    });
}

TEST(Optimizer, StatesHaveTheirNamesAndBeginAtZero) {
    const auto backend = make_backend({});
    const auto names_of = [&](OptimizerKind kind) {
        std::vector<std::string> names;
        const auto optimizer = make_optimizer(config_of(kind), *backend, kSize);
        for (const Optimizer::State& state : optimizer->states()) {
            names.push_back(state.name);
            EXPECT_EQ(state.buffer.span<float>().size(), kSize);
            for (const float value : state.buffer.span<float>())
                EXPECT_EQ(value, 0);
        }
        return names;
    };
    using Names = std::vector<std::string>;
    EXPECT_EQ(names_of(OptimizerKind::adam), (Names{"first_moment", "second_moment"}));
    EXPECT_EQ(names_of(OptimizerKind::adamw), (Names{"first_moment", "second_moment"}));
    EXPECT_EQ(names_of(OptimizerKind::sgd), Names{"velocity"});
    EXPECT_EQ(names_of(OptimizerKind::adagrad), Names{"squared_gradients"});
}

TEST(Optimizer, TheStatesAreAllThatARestartNeeds) {
    for (const OptimizerKind kind :
         {OptimizerKind::adam, OptimizerKind::adamw, OptimizerKind::sgd, OptimizerKind::adagrad}) {
        const auto backend = make_backend({});
        const auto first = make_optimizer(config_of(kind), *backend, kSize);
        const auto second = make_optimizer(config_of(kind), *backend, kSize);
        const std::vector<float> gradient(kSize, 0.3F);
        std::vector<float> weights(kSize, 1.0F);
        const auto update = [&](Optimizer& optimizer, int step, std::vector<float>& to) {
            optimizer.begin(step, 0.01);
            optimizer.apply(0, gradient, to);
        };
        for (int step = 1; step <= 3; ++step)
            update(*first, step, weights);
        for (std::size_t s = 0; s < first->states().size(); ++s) {
            const auto from = first->states()[s].buffer.span<float>();
            std::copy(from.begin(), from.end(), second->states()[s].buffer.span<float>().begin());
        }
        std::vector<float> resumed = weights;
        update(*first, 4, weights);
        update(*second, 4, resumed);
        EXPECT_EQ(weights, resumed);
    }
}

}  // namespace
}  // namespace vae_dist
