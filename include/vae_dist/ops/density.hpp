#pragma once

#include <string>

#include "vae_dist/ops/differentiation.hpp"
#include "vae_dist/pointwise/densities.hpp"

namespace vae_dist {

/// Which density of independent features, and where its parameters are. A decoder's output is (B K, H D): its
/// column blocks (B K, D) are the density's parameters in their order.
struct DensityOfFeatures {
    LikelihoodKind kind = LikelihoodKind::bernoulli;
    bool shared = false;  ///< the last parameter is no block, but one row (1, D), for all samples

    int parameters() const {
        return with_density(kind, []<class D>(D) { return D::kParameters; });
    }
    int blocks() const { return parameters() - (shared ? 1 : 0); }
};

/// log_likelihood (B K, 1) of x (B, D). Inputs: the decoder's output (B K, H D), x and, if it is shared, the
/// last parameter (1, D). The gradient with respect to log_likelihood is minus the rows' weights.
struct Density {
    static constexpr const char* kName = "density";
    DensityOfFeatures density;

    std::string name() const;
    Shapes shapes(ShapesView inputs) const;
    void differentiate(Differentiation& d) const;
};

/// Inputs: those of Density, and weights (B K, 1). Outputs: log_likelihood as Density's; the gradient (B K,
/// H D) of -sum_r weights_r log_likelihood_r with respect to the decoder's output; if the last parameter is
/// shared, the gradient (1, D) with respect to it, summed over the rows.
struct DensityGradient {
    static constexpr const char* kName = "density_gradient";
    static constexpr OperationRules kRules = {.either_outputs = 0b010, .in_place_output = 1};
    DensityOfFeatures density;

    std::string name() const;
    Shapes shapes(ShapesView inputs) const;
};

/// A density's parameters (B, H D) of the decoder's output (B, H D): probabilities rather than logits.
struct DensityParameters {
    static constexpr const char* kName = "density_parameters";
    static constexpr OperationRules kRules = {.in_place_output = 0};
    DensityOfFeatures density;

    std::string name() const;
    Shapes shapes(ShapesView inputs) const;
};

}  // namespace vae_dist
