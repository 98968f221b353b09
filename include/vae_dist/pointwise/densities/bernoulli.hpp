#pragma once

#include <algorithm>

#include "vae_dist/pointwise/density.hpp"

namespace vae_dist {

/// A Bernoulli variable of a logit l, for numbers from 0 to 1: log p(x) = x l - log(1 + exp(l)).
struct Bernoulli {
    static constexpr const char* kName = "bernoulli";
    static constexpr int kParameters = 1;
    static constexpr const char* kParameterNames[] = {"output"};
    static constexpr Support kSupport = {0, 1, "the bernoulli likelihood needs values in [0, 1]"};
    static constexpr double kScale = 1;
    static constexpr double kConstant = 0;
    static constexpr bool kHasSmall = true;
    static constexpr int kMean = 0;
    static constexpr bool kMeanIsProbability = true;
    static constexpr bool kStartsFromMean = true;

    // log(1 + exp(l)) = max(l, 0) + log(1 + exp(-|l|)), which is finite for every l.
    template <class Number>
    VAE_DIST_POINTWISE static DensityTerms<Number, 1> at(const Number& x, const Number (&parameters)[1]) {
        using M = Math<Number>;
        const Number& logit = parameters[0];
        const Number small = exp_minus_abs(logit);
        const Number rest = 1 / (1 + small);
        const Number probability = M::where_positive(logit, rest, small * rest);
        return {x * logit - M::positive_part(logit), small, {probability - x}};
    }

    static constexpr bool is_plain(bool) { return false; }
    template <class Number>
    VAE_DIST_POINTWISE static void to_parameters(Number (&numbers)[1]) {
        numbers[0] = sigmoid(numbers[0]);
    }

    template <class Random>
    static float draw(const Random& random, const float (&parameters)[1]) {
        return random.uniform() < parameters[0] ? 1.0F : 0.0F;
    }

    static double start(double mean) {
        const double p = std::clamp(mean, 0.001, 0.999);
        return std::log(p / (1 - p));
    }
};

}  // namespace vae_dist
