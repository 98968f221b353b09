#pragma once

#include <memory>

#include "vae_dist/model/parameters.hpp"

namespace vae_dist {

/// p(x|z) of the decoder's output (B, D): per-feature distributions, independent given z.
class Likelihood {
 public:
    virtual ~Likelihood() = default;

    /// log_likelihood (B) = log p(x|z) of each sample; replaces the decoder's output by the gradient of
    /// -weight * sum_b log_likelihood by it, and writes the gradients of the likelihood's own parameters.
    virtual void backward(Backend& backend, ParameterStore& store, FloatMatrix output, ConstFloatMatrix x,
                          float weight, float* log_likelihood) const = 0;

    /// log_likelihood (B) alone.
    virtual void forward(Backend& backend, const ParameterStore& store, ConstFloatMatrix output,
                         ConstFloatMatrix x, float* log_likelihood) const = 0;

    /// End of the likelihood's own parameters in the flat array.
    virtual std::int64_t end() const = 0;
};

/// Adds the likelihood's own parameters to the layout: "decoder/log_variance" (features) for gaussian.
std::unique_ptr<Likelihood> make_likelihood(LikelihoodKind kind, ParameterLayout& layout,
                                            std::int64_t features);

}  // namespace vae_dist
