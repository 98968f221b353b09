#pragma once

#include <cmath>
#include <numbers>

/// Marks a function that kernels may call, too.
#if defined(__CUDACC__)
#define VAE_DIST_POINTWISE __host__ __device__
#else
#define VAE_DIST_POINTWISE
#endif

namespace vae_dist {

inline constexpr double kLogTwoPi = 1.8378770664093454836;

// Formulas of one number, written once: Number is a block of floats on processors, a float in a kernel, a
// double in tests. What is not a number stays so: neither fmax nor fmin is used.

/// The functions that formulas are made of. The primary template serves single numbers; a type of several
/// numbers has a specialisation where it is defined.
template <class Number>
struct Math {
    VAE_DIST_POINTWISE static Number exp(Number x) { return std::exp(x); }
    VAE_DIST_POINTWISE static Number expm1(Number x) { return std::expm1(x); }
    VAE_DIST_POINTWISE static Number log(Number x) { return std::log(x); }
    VAE_DIST_POINTWISE static Number log1p(Number x) { return std::log1p(x); }
    VAE_DIST_POINTWISE static Number sqrt(Number x) { return std::sqrt(x); }
    VAE_DIST_POINTWISE static Number tanh(Number x) { return std::tanh(x); }
    VAE_DIST_POINTWISE static Number erf(Number x) { return std::erf(x); }
    VAE_DIST_POINTWISE static Number square(Number x) { return x * x; }

    VAE_DIST_POINTWISE static Number abs(Number x) { return std::abs(x); }
    VAE_DIST_POINTWISE static Number positive_part(Number x) { return x < 0 ? Number(0) : x; }  ///< max(x, 0)
    VAE_DIST_POINTWISE static Number negative_part(Number x) { return x > 0 ? Number(0) : x; }  ///< min(x, 0)

    /// a where condition > 0, else b.
    VAE_DIST_POINTWISE static Number where_positive(Number condition, Number a, Number b) {
        return condition > 0 ? a : b;
    }

    VAE_DIST_POINTWISE static constexpr Number constant(double value) { return static_cast<Number>(value); }
};

/// exp(-|x|), and 0 where that is less than the smallest normal float: beyond, vector instructions of each
/// width have other numbers.
template <class Number>
VAE_DIST_POINTWISE inline Number exp_minus_abs(const Number& x) {
    using M = Math<Number>;
    constexpr float kLast = 87.3365F;  // -ln(2^-126), rounded down
    const Number distance = M::abs(x);
    return M::where_positive(distance - kLast, M::constant(0), M::exp(-distance));
}

template <class Number>
VAE_DIST_POINTWISE inline Number sigmoid(const Number& x) {
    const Number small = exp_minus_abs(x);
    const Number rest = 1 / (1 + small);
    return Math<Number>::where_positive(x, rest, small * rest);
}

template <class Number>
VAE_DIST_POINTWISE inline Number softplus(const Number& x) {
    return Math<Number>::positive_part(x) + Math<Number>::log1p(exp_minus_abs(x));
}

/// The standard normal distribution function.
template <class Number>
VAE_DIST_POINTWISE inline Number normal_cdf(const Number& x) {
    using M = Math<Number>;
    return M::constant(0.5) + M::constant(0.5) * M::erf(x * M::constant(1 / std::numbers::sqrt2));
}

template <class Number>
VAE_DIST_POINTWISE inline Number normal_density(const Number& x) {
    using M = Math<Number>;
    return M::constant(std::numbers::inv_sqrtpi / std::numbers::sqrt2) *
           M::exp(M::constant(-0.5) * M::square(x));
}

}  // namespace vae_dist
