#pragma once

#include "vae_dist/ops/differentiation.hpp"

namespace vae_dist {

/// log_likelihood (B K, 1) of x (B, D), numbers from 0 to 1, by independent Bernoulli variables of these
/// logits (B K, D). Inputs logits, x. The gradient with respect to log_likelihood is minus the rows' weights.
struct BernoulliDensity {
    static constexpr const char* kName = "bernoulli";

    Shapes shapes(ShapesView inputs) const;
    void differentiate(Differentiation& d) const;
};

/// Inputs logits, x, weights (B K, 1); outputs log_likelihood (B K, 1) as BernoulliDensity's, and dlogits (B
/// K, D), the gradient of -sum_r weights_r log_likelihood_r.
struct BernoulliGradient {
    static constexpr const char* kName = "bernoulli_gradient";
    static constexpr OperationRules kRules = {.either_outputs = 0b10, .in_place_output = 1};

    Shapes shapes(ShapesView inputs) const;
};

/// log_likelihood (B K, 1) of x (B, D) by independent normal variables of these means (B K, D) and
/// log-variances (1, D). Inputs mean, x, log_variance.
struct GaussianDensity {
    static constexpr const char* kName = "gaussian";

    Shapes shapes(ShapesView inputs) const;
    void differentiate(Differentiation& d) const;
};

/// Inputs mean, x, log_variance, weights (B K, 1); outputs log_likelihood, dmean (B K, D) and dlog_variance
/// (1, D), summed over the rows.
struct GaussianGradient {
    static constexpr const char* kName = "gaussian_gradient";
    static constexpr OperationRules kRules = {.either_outputs = 0b010, .in_place_output = 1};

    Shapes shapes(ShapesView inputs) const;
};

}  // namespace vae_dist
