#pragma once

#include <cmath>

#include "vae_dist/pointwise/update.hpp"

namespace vae_dist {

/// Adam (Kingma and Ba, 2015).
struct Adam {
    static constexpr const char* kName = "adam";
    static constexpr std::array kStates = {"first_moment", "second_moment"};
    static constexpr std::array kSettings = {"beta1", "beta2", "epsilon"};

    float learning_rate = 0;
    float beta1 = 0;
    float beta2 = 0;
    float epsilon = 0;
    float correction1 = 1;  ///< 1 / (1 - beta1^t)
    float correction2 = 1;  ///< 1 / (1 - beta2^t)
    float decay = 1;        ///< factor of the weight before the update; 1 but for AdamW

    template <class Settings>
    void begin(const Settings& settings, std::int64_t update, double rate) {
        const auto t = static_cast<double>(update);
        learning_rate = static_cast<float>(rate);
        beta1 = static_cast<float>(settings.beta1);
        beta2 = static_cast<float>(settings.beta2);
        epsilon = static_cast<float>(settings.epsilon);
        correction1 = static_cast<float>(1 / (1 - std::pow(settings.beta1, t)));
        correction2 = static_cast<float>(1 / (1 - std::pow(settings.beta2, t)));
    }

    template <class Number>
    VAE_DIST_POINTWISE void apply(const Number& gradient, Number (&state)[2], Number& weight) const {
        auto& [first_moment, second_moment] = state;
        first_moment = beta1 * first_moment + (1 - beta1) * gradient;
        second_moment = beta2 * second_moment + (1 - beta2) * gradient * gradient;
        const Number direction =
            first_moment * correction1 / (Math<Number>::sqrt(second_moment * correction2) + epsilon);
        weight = decay * weight - learning_rate * direction;
    }
};

/// Adam with decoupled weight decay (Loshchilov and Hutter, 2019).
struct AdamW : Adam {
    static constexpr const char* kName = "adamw";
    static constexpr std::array kSettings = {"beta1", "beta2", "epsilon", "weight_decay"};

    template <class Settings>
    void begin(const Settings& settings, std::int64_t update, double rate) {
        Adam::begin(settings, update, rate);
        decay = decay_factor(settings, rate);
    }
};

}  // namespace vae_dist
