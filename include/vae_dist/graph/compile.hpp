#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "vae_dist/graph/graph.hpp"

namespace vae_dist {

// What compiles a graph into a plan, one after the other. Each is a function of its arguments alone.

/// The graph with the gradients with respect to its parameters, from its seeds. Where a value is read several
/// times, what each reader contributes is added up in the order of the backward pass.
Graph differentiate(Graph graph);

enum class Terms { summed, left_out };

/// Without the nodes that neither `wanted` nor, where asked for, the sums of the terms need; values of
/// `given` are made by no node. A node that is needed comes before those that need it, else in its old place.
Graph prune(Graph graph, std::span<const ValueId> wanted, std::span<const ValueId> given, Terms terms);

/// With values in the precision of products: those that products read, or rounded copies of them. What is
/// wanted stays float.
Graph assign_precision(Graph graph, Precision precision, std::span<const ValueId> wanted);

/// Parameters whose gradients are final once the nodes before `end` have run.
struct FinishedParameters {
    std::vector<ValueId> parameters;  ///< of one node of the forward pass, in its order
    std::size_t end = 0;
};
/// In the order of the backward pass. Each parameter is among them once.
std::vector<FinishedParameters> finish_order(const Graph& graph);

/// How many rows values have at the most.
struct RowLimits {
    std::int64_t samples = 0;
    std::int64_t draws = 0;  ///< of all samples together

    std::int64_t rows(const ValueShape& shape) const;
};

/// Where values lie in one piece of memory.
struct Places {
    /// The first byte of each value; none for inputs, parameters and parameters' gradients, and for values
    /// that no node makes.
    std::vector<std::optional<std::size_t>> first;
    std::size_t bytes = 0;
};
enum class Reuse { on, off };

/// A value keeps its place from the node that makes it to the last one that reads it, or, if it is wanted, to
/// the end. Each begins on a cache line. Without reuse each value has a place of its own.
Places allocate(const Graph& graph, std::span<const ValueId> wanted, const RowLimits& limits,
                Reuse reuse = Reuse::on);

}  // namespace vae_dist
