#pragma once

#include "vae_dist/pointwise/update.hpp"

namespace vae_dist {

/// Adagrad (Duchi et al., 2011).
struct Adagrad {
    static constexpr const char* kName = "adagrad";
    static constexpr std::array kStates = {"squared_gradients"};
    static constexpr std::array kSettings = {"epsilon", "weight_decay"};

    float learning_rate = 0;
    float epsilon = 0;
    float decay = 1;  ///< factor of the weight before the update

    template <class Settings>
    void begin(const Settings& settings, std::int64_t, double rate) {
        learning_rate = static_cast<float>(rate);
        epsilon = static_cast<float>(settings.epsilon);
        decay = decay_factor(settings, rate);
    }

    template <class Number>
    VAE_DIST_POINTWISE void apply(const Number& gradient, Number (&state)[1], Number& weight) const {
        auto& [squares] = state;
        squares = squares + gradient * gradient;
        weight = decay * weight - learning_rate * gradient / (Math<Number>::sqrt(squares) + epsilon);
    }
};

}  // namespace vae_dist
