#pragma once

#include <memory>

#include "vae_dist/graph/graph.hpp"

namespace vae_dist {

/// p(x|z) of the decoder's output (rows, D): per-feature distributions, independent given z.
class Likelihood {
 public:
    virtual ~Likelihood() = default;

    /// Adds log p(x|z) (B K, 1) of each row of the decoder's output (B K, D), of which K adjacent rows belong
    /// to one row of x (B, D); with the likelihood's own parameters: "decoder/log_variance" (D) for gaussian.
    virtual ValueId add_density(Graph& graph, ValueId output, ValueId x) const = 0;

    /// Replaces the decoder's output (B, D) by the mean of p(x|z).
    virtual void to_mean(Backend& backend, FloatMatrix output) const = 0;

    /// Replaces means of p(x|z) (B, D), in host memory, by draws from it: the numbers of row r have the
    /// counters (0, rows[r], feature) and do not depend on the other rows.
    virtual void draw(Backend& backend, const ParameterLayout& layout, const ParameterStore& store,
                      const CounterRandom& random, std::span<const std::int64_t> rows,
                      FloatMatrix mean_host) const = 0;
};

std::unique_ptr<Likelihood> make_likelihood(LikelihoodKind kind);

}  // namespace vae_dist
