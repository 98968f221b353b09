#pragma once

#include <memory>

#include "vae_dist/model/parameters.hpp"

namespace vae_dist {

/// p(x|z) of the decoder's output (rows, D): per-feature distributions, independent given z.
class Likelihood {
 public:
    virtual ~Likelihood() = default;

    /// log_likelihood (B K) = log p(x|z) of each row of the decoder's output (B K, D), of which K adjacent
    /// rows belong to one row of x (B, D); doutput, which may be the output itself, is the gradient of
    /// -sum_r weights_r log_likelihood_r by it, weights (B K). Writes the gradients of the likelihood's own
    /// parameters.
    virtual void backward(Backend& backend, ParameterStore& store, ConstFloatMatrix output,
                          ConstFloatMatrix x, const float* weights, float* log_likelihood,
                          Operand doutput) const = 0;

    /// log_likelihood (B K) alone.
    virtual void forward(Backend& backend, const ParameterStore& store, ConstFloatMatrix output,
                         ConstFloatMatrix x, float* log_likelihood) const = 0;

    /// Replaces the decoder's output (B, D) by the mean of p(x|z).
    virtual void to_mean(Backend& backend, FloatMatrix output) const = 0;

    /// Replaces means of p(x|z) (B, D), in host memory, by draws from it: the numbers of row r have the
    /// counters (0, rows[r], feature) and do not depend on the other rows.
    virtual void draw(Backend& backend, const ParameterStore& store, const CounterRandom& random,
                      std::span<const std::int64_t> rows, FloatMatrix mean_host) const = 0;

    /// End of the likelihood's own parameters in the flat array.
    virtual std::int64_t end() const = 0;
};

/// Adds the likelihood's own parameters to the layout: "decoder/log_variance" (features) for gaussian.
std::unique_ptr<Likelihood> make_likelihood(LikelihoodKind kind, ParameterLayout& layout,
                                            std::int64_t features);

}  // namespace vae_dist
