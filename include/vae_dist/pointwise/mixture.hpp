#pragma once

#include "vae_dist/pointwise/densities/gaussian.hpp"

namespace vae_dist {

// One dimension of a component c of a mixture of diagonal Gaussians, of a mean m and a log-variance s:
// log p(z|c) = -1/2 sum over the dimensions of (log 2 pi + s + (z - m)^2 / exp(s)). Log-variances are bounded
// as those of Gaussian are.

/// (z - m)^2 / exp(s), of inverse_variance = 1 / exp(s).
template <class Number>
VAE_DIST_POINTWISE inline Number mixture_square(const Number& z, const Number& mean,
                                                const Number& inverse_variance) {
    return Math<Number>::square(z - mean) * inverse_variance;
}

template <class Number>
struct ComponentDerivatives {
    Number latent;
    Number mean;
    Number log_variance;  ///< Gaussian::limited is not yet applied
};

/// Of -weight * log p(z|c), with respect to the draw z and the component's parameters.
template <class Number, class Weight>
VAE_DIST_POINTWISE inline ComponentDerivatives<Number> component_derivatives(const Number& z,
                                                                             const Number& mean,
                                                                             const Number& inverse_variance,
                                                                             const Weight& weight) {
    const Number difference = z - mean;
    const Number scaled = difference * inverse_variance;
    const Number weighed = weight * scaled;
    const Number rest = 1 - difference * scaled;
    return {weighed, -weighed, Math<Number>::constant(0.5) * (weight * rest)};
}

}  // namespace vae_dist
