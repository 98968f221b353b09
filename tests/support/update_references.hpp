#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include "vae_dist/config/config.hpp"

namespace vae_dist {

/// Values other than the defaults for every setting that some update rule has.
inline OptimizerConfig settings_for_updates(OptimizerKind kind) {
    OptimizerConfig settings;
    settings.name = kind;
    settings.beta1 = 0.8;
    settings.beta2 = 0.99;
    settings.epsilon = 1e-3;
    settings.momentum = 0.7;
    settings.weight_decay = 0.3;
    return settings;
}

/// The kind's rule with the numbers of one update, for those settings.
inline UpdateRule rule_at(OptimizerKind kind, std::int64_t update, double learning_rate) {
    UpdateRule rule = rule_of(kind);
    std::visit([&](auto& one) { one.begin(settings_for_updates(kind), update, learning_rate); }, rule);
    return rule;
}

/// An update rule once more, in double, independent of the program's formula, for the same settings.
struct UpdateReference {
    std::vector<std::string> states;  ///< the names of state arrays in checkpoints
    /// The new weight; changes `state`, a number for each array. `t` is the update, from 1 on.
    std::function<double(int t, double rate, double gradient, double weight, std::vector<double>& state)>
        weight_after;
};

inline UpdateReference adam_reference(double weight_decay) {
    return {{"first_moment", "second_moment"},
            [=](int t, double rate, double gradient, double weight, std::vector<double>& state) {
                state[0] = 0.8 * state[0] + 0.2 * gradient;
                state[1] = 0.99 * state[1] + 0.01 * gradient * gradient;
                const double m_hat = state[0] / (1 - std::pow(0.8, t));
                const double v_hat = state[1] / (1 - std::pow(0.99, t));
                return weight * (1 - rate * weight_decay) - rate * m_hat / (std::sqrt(v_hat) + 1e-3);
            }};
}

/// The kind's reference. A kind without a case does not compile.
inline UpdateReference reference_of(OptimizerKind kind) {
    switch (kind) {
        case OptimizerKind::adam:
            return adam_reference(0);
        case OptimizerKind::adamw:
            return adam_reference(0.3);
        case OptimizerKind::sgd:
            return {{"velocity"},
                    [](int, double rate, double gradient, double weight, std::vector<double>& state) {
                        state[0] = 0.7 * state[0] + gradient;
                        return weight * (1 - rate * 0.3) - rate * state[0];
                    }};
        case OptimizerKind::adagrad:
            return {{"squared_gradients"},
                    [](int, double rate, double gradient, double weight, std::vector<double>& state) {
                        state[0] += gradient * gradient;
                        return weight * (1 - rate * 0.3) - rate * gradient / (std::sqrt(state[0]) + 1e-3);
                    }};
    }
    throw std::logic_error("an update rule without a kind of its own");
}

/// Calls check(kind) for each listed update rule.
template <class Check>
void for_update_rules(const Check& check) {
    for (std::size_t i = 0; i < kUpdateRules.size(); ++i) {
        SCOPED_TRACE(kUpdateNames[i]);
        check(static_cast<OptimizerKind>(i));
    }
}

}  // namespace vae_dist
