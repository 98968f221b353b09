#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "vae_dist/config/config.hpp"
#include "vae_dist/graph/graph.hpp"
#include "vae_dist/model/likelihood.hpp"
#include "vae_dist/model/prior.hpp"

namespace vae_dist {

/// A variational autoencoder as a graph: B samples with K draws each, D features, Z latent dimensions.
struct VaeGraph {
    Graph graph;
    ValueId x = -1;                        ///< (B, D)
    std::vector<ValueId> conditions = {};  ///< (B, C) each
    ValueId posterior = -1;                ///< (B, 2 Z), mean and log-variance
    ValueId latent = -1;                   ///< (B K, Z)
    ValueId output = -1;                   ///< (B K, H D), the decoder's
    ValueId log_likelihood = -1;           ///< (B K, 1), log p(x|z)
    ValueId log_ratio = -1;                ///< (B K, 1), log p(z) - log q(z|x)
};

/// A condition of a model, an input beside the samples.
struct ModelCondition {
    std::string name;
    std::int64_t columns = 1;
};

/// Its terms are "reconstruction" and "kl", with several draws "iwae_bound", too; what is minimised is minus
/// the evidence lower bound, with several draws minus the importance-weighted one (see ObjectiveWeights).
VaeGraph make_vae_graph(const ModelConfig& config, const Likelihood& likelihood, const Prior& prior,
                        std::int64_t features, std::span<const ModelCondition> conditions,
                        bool several_draws);

}  // namespace vae_dist
