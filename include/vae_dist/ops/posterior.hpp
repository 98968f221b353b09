#pragma once

#include "vae_dist/ops/differentiation.hpp"

namespace vae_dist {

/// Draws from a diagonal Gaussian posterior of mean and log-variance, side by side (B, 2 Z). Outputs: epsilon
/// (B K, Z), standard normal numbers of the pass's counters; latent (B K, Z) = mean + exp(log_variance / 2) *
/// epsilon; kl (B, 1), the divergence KL(q(z|x) || N(0, I)) = 1/2 sum_z (mean^2 + exp(log_variance) - 1 -
/// log_variance); log_ratio (B K, 1) = log p(z) - log q(z|x) = 1/2 sum_z (log_variance + epsilon^2 -
/// latent^2). Where the prior is another than N(0, I), log_ratio is -log q(z|x) = 1/2 sum_z (log 2 pi +
/// log_variance + epsilon^2), to which log p(z) is added.
///
/// Its rule has two cases. Where log_ratio has a gradient, which is the draws' weights: the gradient of
/// -sum_k weights_k (log p(x|z_k) + beta * log_ratio_k), the weights held constant. Else that of -log p(x|z)
/// + beta * sum_z max(free_bits, KL_z), each sample weighing sample_weight: KL_z has no gradient where it is
/// below free_bits, and with free_bits 0 it has everywhere. beta, sample_weight and free_bits are the pass's.
struct PosteriorDraw {
    static constexpr const char* kName = "posterior_draw";
    bool standard_normal_prior = true;  ///< whether log_ratio has log p(z) in it

    static constexpr OperationRules kRules = {.optional_outputs = 0b1100};
    enum Output : std::size_t { kEpsilon, kLatent, kKl, kLogRatio };

    Shapes shapes(ShapesView inputs) const;
    void differentiate(Differentiation& d) const;
};

/// The gradient (B, 2 Z) of the evidence lower bound with respect to the posterior's parameters. Inputs:
/// parameters (B, 2 Z), epsilon (B, Z), dlatent (B, Z).
struct PosteriorGradient {
    static constexpr const char* kName = "posterior_gradient";

    Shapes shapes(ShapesView inputs) const;
};

/// The same of the importance-weighted bound. Inputs: parameters (B, 2 Z), epsilon, latent, dlatent (B K, Z),
/// weights (B K, 1). Where the prior is another than N(0, I), dlatent has the gradient of log p(z) in it.
struct ImportanceGradient {
    static constexpr const char* kName = "importance_gradient";
    bool standard_normal_prior = true;

    Shapes shapes(ShapesView inputs) const;
};

/// What K draws of a sample weigh. Inputs: log_likelihood and log_ratio (B K, 1). Outputs: weights (B K, 1) =
/// sample_weight * softmax_k(log_likelihood + beta * log_ratio), and bound (B, 1) = log(1/K sum_k
/// exp(log_likelihood + log_ratio)) (Burda et al., 2016, eq. 8).
struct ImportanceWeights {
    static constexpr const char* kName = "importance_weights";

    Shapes shapes(ShapesView inputs) const;
};

}  // namespace vae_dist
