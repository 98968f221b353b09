#pragma once

#include "vae_dist/pointwise/math.hpp"

namespace vae_dist {

// One latent dimension of a diagonal Gaussian posterior q(z|x), of mean and log-variance s, before a standard
// normal prior. z = latent_of(mean, s, epsilon) is a draw from it.

template <class Number>
VAE_DIST_POINTWISE inline Number latent_of(const Number& mean, const Number& s, const Number& epsilon) {
    using M = Math<Number>;
    return mean + M::exp(M::constant(0.5) * s) * epsilon;
}

/// The dimension's part of KL(q(z|x) || N(0, I)).
template <class Number>
VAE_DIST_POINTWISE inline Number kl_of(const Number& mean, const Number& s) {
    using M = Math<Number>;
    return M::constant(0.5) * (M::square(mean) + (M::expm1(s) - s));
}

/// Twice the dimension's part of log p(z) - log q(z|x).
template <class Number>
VAE_DIST_POINTWISE inline Number twice_log_ratio_of(const Number& s, const Number& epsilon, const Number& z) {
    return s + (epsilon - z) * (epsilon + z);
}

/// Twice the dimension's part of -log q(z|x), without log 2 pi.
template <class Number>
VAE_DIST_POINTWISE inline Number twice_minus_log_posterior_of(const Number& s, const Number& epsilon) {
    return s + Math<Number>::square(epsilon);
}

template <class Number>
struct PosteriorDerivatives {
    Number mean;
    Number log_variance;
};

/// Of  dlatent * z + kl_weight * max(free_bits, KL)  with respect to the posterior's parameters.
template <class Number>
VAE_DIST_POINTWISE inline PosteriorDerivatives<Number> posterior_derivatives(
    const Number& mean, const Number& s, const Number& epsilon, const Number& dlatent, float kl_weight,
    float free_bits) {
    using M = Math<Number>;
    Number weight = M::constant(kl_weight);
    if (free_bits > 0)
        weight = M::where_positive(free_bits - kl_of(mean, s), M::constant(0), M::constant(kl_weight));
    return {dlatent + weight * mean,
            M::constant(0.5) * (dlatent * epsilon * M::exp(M::constant(0.5) * s) + weight * M::expm1(s))};
}

/// Of  dlatent_k * z_k - beta_weight_k * (log p(z_k) - log q(z_k|x))  with respect to z_k, of a standard
/// normal p(z). log q, of a drawn z, depends on the log-variance alone.
template <class Number>
VAE_DIST_POINTWISE inline Number weighed_latent_derivative(const Number& dlatent, const Number& z,
                                                           float beta_weight) {
    return dlatent + beta_weight * z;
}

/// The same, summed over the draws, with respect to the log-variance: from the sum of the derivatives with
/// respect to z_k times epsilon_k, and the sum of beta_weight_k.
template <class Number>
VAE_DIST_POINTWISE inline Number weighed_log_variance_derivative(const Number& s, const Number& sum,
                                                                 float beta_weight) {
    using M = Math<Number>;
    return M::constant(0.5) * (sum * M::exp(M::constant(0.5) * s) - beta_weight);
}

}  // namespace vae_dist
