#pragma once

#include <cstdint>

#include "vae_dist/graph/graph.hpp"

namespace vae_dist::test {

/// A graph of layers that read each other's outputs in a random way, some with shared weights, and of one or
/// several densities at its end. Inputs "x" (B K, 6) and "target" (B, 6) are values 0 and 1.
Graph random_graph(std::uint32_t seed);

}  // namespace vae_dist::test
