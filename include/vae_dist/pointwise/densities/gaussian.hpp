#pragma once

#include "vae_dist/pointwise/density.hpp"

namespace vae_dist {

/// Below this log-variance the Gaussian density is pulled no further down: else a feature that is constant in
/// the data would drive its variance to 0 and the density to infinity. A decoder's log-variance below counts
/// as this.
inline constexpr float kMinLogVariance = -10;

/// A normal variable of a mean m and a log-variance s: log p(x) = -1/2 (log 2 pi + s + (x - m)^2 / exp(s)).
struct Gaussian {
    static constexpr const char* kName = "gaussian";
    static constexpr int kParameters = 2;
    static constexpr const char* kParameterNames[] = {"output", "log_variance"};
    static constexpr Support kSupport = {};
    static constexpr double kScale = -0.5;
    static constexpr double kConstant = kLogTwoPi;
    static constexpr bool kHasSmall = false;
    static constexpr int kMean = 0;
    static constexpr bool kMeanIsProbability = false;
    static constexpr bool kStartsFromMean = false;

    /// 1 / variance.
    template <class Number>
    VAE_DIST_POINTWISE static Number prepared(const Number& log_variance) {
        return Math<Number>::exp(-log_variance);
    }
    template <class Number>
    VAE_DIST_POINTWISE static Number normaliser(const Number& log_variance) {
        return log_variance;
    }

    template <class Number>
    VAE_DIST_POINTWISE static DensityTerms<Number, 2> at(const Number& x, const Number (&parameters)[2]) {
        const Number difference = parameters[0] - x;
        const Number scaled = difference * parameters[1];
        const Number square = difference * scaled;
        return {square, square, {scaled, Math<Number>::constant(0.5) * (1 - square)}};
    }

    template <class Number>
    VAE_DIST_POINTWISE static Number limited(const Number& log_variance, const Number& gradient) {
        using M = Math<Number>;
        const Number upwards = M::where_positive(gradient, M::constant(0), gradient);
        return M::where_positive(log_variance - kMinLogVariance, gradient, upwards);
    }

    template <class Number>
    VAE_DIST_POINTWISE static Number bounded(const Number& log_variance) {
        using M = Math<Number>;
        return M::where_positive(kMinLogVariance - log_variance, M::constant(kMinLogVariance), log_variance);
    }

    static constexpr bool is_plain(bool shared) { return shared; }
    template <class Number>
    VAE_DIST_POINTWISE static void to_parameters(Number (&numbers)[2]) {
        numbers[1] = bounded(numbers[1]);
    }

    template <class Random>
    static float draw(const Random& random, const float (&parameters)[2]) {
        return parameters[0] + std::exp(0.5F * parameters[1]) * random.normal();
    }
};

}  // namespace vae_dist
