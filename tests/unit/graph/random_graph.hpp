#pragma once

#include <cstdint>
#include <vector>

#include "vae_dist/graph/graph.hpp"

namespace vae_dist::test {

/// A graph, and what its passes minimise.
struct RandomGraph {
    Graph graph;
    std::int64_t draws = 1;  ///< K
    /// What is minimised is the sum of these times the terms, where samples weigh 1 (and beta is 1).
    std::vector<double> factors;
};

/// Layers that read each other's outputs in a random way, some with shared weights, and one or several
/// densities at their end. In some graphs the layers begin with draws from a posterior, which other layers
/// make, before a standard normal prior or a mixture; with several draws they are then weighed by importance.
/// Inputs "x", (B K, 6) or (B, 6), and "target" (B, 6) are values 0 and 1.
RandomGraph random_graph(std::uint32_t seed);

}  // namespace vae_dist::test
