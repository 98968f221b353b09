#pragma once

#include "vae_dist/ops/differentiation.hpp"

namespace vae_dist {

/// log p(z) of a mixture of C diagonal Gaussians. Inputs: latent (B K, Z); mean (C, Z); log_variance (C, Z);
/// logit (1, C), whose softmax over the components is their weights. Outputs: log_density (B K, 1) = log
/// sum_c weight_c N(z; mean_c, exp(log_variance_c)); responsibilities (B K, C), the components' probabilities
/// given z. A log-variance below kMinLogVariance counts as this.
///
/// The gradient of log_density is its rows' weights: its rule is of -sum_r beta * weights_r * log_density_r,
/// beta the pass's.
struct MixtureDensity {
    static constexpr const char* kName = "mixture_density";
    enum Input : std::size_t { kLatent, kMean, kLogVariance, kLogit };
    enum Output : std::size_t { kLogDensity, kResponsibilities };

    Shapes shapes(ShapesView inputs) const;
    void differentiate(Differentiation& d) const;
};

/// Inputs: those of MixtureDensity, responsibilities (B K, C), weights (B K, 1). Outputs: the gradients with
/// respect to the inputs of MixtureDensity, in their order; those of the parameters are sums over the rows.
struct MixtureGradient {
    static constexpr const char* kName = "mixture_gradient";
    enum Input : std::size_t { kResponsibilities = 4, kWeights };

    Shapes shapes(ShapesView inputs) const;
};

}  // namespace vae_dist
