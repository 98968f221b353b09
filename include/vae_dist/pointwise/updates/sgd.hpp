#pragma once

#include "vae_dist/pointwise/update.hpp"

namespace vae_dist {

/// Gradient descent with momentum.
struct Sgd {
    static constexpr const char* kName = "sgd";
    static constexpr std::array kStates = {"velocity"};
    static constexpr std::array kSettings = {"momentum", "weight_decay"};

    float learning_rate = 0;
    float momentum = 0;
    float decay = 1;  ///< factor of the weight before the update

    template <class Settings>
    void begin(const Settings& settings, std::int64_t, double rate) {
        learning_rate = static_cast<float>(rate);
        momentum = static_cast<float>(settings.momentum);
        decay = decay_factor(settings, rate);
    }

    template <class Number>
    VAE_DIST_POINTWISE void apply(const Number& gradient, Number (&state)[1], Number& weight) const {
        auto& [velocity] = state;
        velocity = momentum * velocity + gradient;
        weight = decay * weight - learning_rate * velocity;
    }
};

}  // namespace vae_dist
