#pragma once

#include <cstdint>
#include <memory>

#include "vae_dist/config/config.hpp"
#include "vae_dist/graph/graph.hpp"

namespace vae_dist {

/// p(z) of Z latent dimensions. All that the program needs to know of a prior, it asks here.
class Prior {
 public:
    virtual ~Prior() = default;

    /// Whether it is N(0, I). PosteriorDraw then has log p(z) within itself, and the divergence in closed
    /// form; every other prior adds its log-density.
    virtual bool is_standard_normal() const { return false; }

    /// Adds log p(z) (B K, 1) of each row of latent (B K, Z), with the prior's own parameters, as
    /// "prior/mean". The last operation has to take the gradient of its output as rows' weights, and its rule
    /// is of -sum_r beta * weights_r * log p(z_r), as that of MixtureDensity: with the sign and beta. Throws
    /// ErrorKind::bug for N(0, I).
    virtual ValueId add_log_density(Graph& graph, ValueId latent) const = 0;

    /// Draws (rows, Z), in host memory, from the prior of these parameters. Row i is draw first + i, whose
    /// numbers do not depend on the other rows: epsilon has the counters (0, first + i, dimension), and what
    /// else is random counters of other visits.
    virtual void draw(Backend& backend, const ParameterLayout& layout, const ParameterStore& store,
                      const CounterRandom& random, std::int64_t first, FloatMatrix to_host) const = 0;
};

std::unique_ptr<Prior> make_prior(const ModelConfig& config);

}  // namespace vae_dist
