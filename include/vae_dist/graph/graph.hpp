#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "vae_dist/config/config.hpp"
#include "vae_dist/graph/parameters.hpp"
#include "vae_dist/ops/operation.hpp"

namespace vae_dist {

/// For arrays with an element a value.
inline std::size_t index(ValueId id) {
    return static_cast<std::size_t>(id);
}

/// A matrix of a graph. The nodes have the information which of them makes it.
struct Value {
    std::string name;  ///< of inputs and parameters, for readers of a plan
    ValueShape shape;
    std::vector<Parameter> parameters = {};  ///< stacked, row after row; empty for other values
    Precision precision = Precision::float32;

    bool is_parameter() const { return !parameters.empty(); }
};

/// An operation on values.
struct GraphNode {
    Operation operation;
    std::vector<ValueId> inputs;
    std::vector<ValueId> outputs;
    /// Of a backward pass: a label of the rule that this node is part of, the number that the rule's node had
    /// when the graph was differentiated.
    std::optional<std::size_t> rule_of;
};

/// A sum over the samples that is told by its name.
struct NamedTerm {
    std::string name;
    ValueId column = -1;  ///< (rows, 1)
};

/// Where a backward pass begins: a value, and its rows' weights. What is minimised is minus the weighted sum,
/// so that the weights are minus the gradient; the rules of densities and of draws take them so.
struct Seed {
    ValueId value = -1;
    ValueId weights = -1;
};

/// A parameter's gradient.
struct ParameterGradient {
    ValueId parameter = -1;
    ValueId gradient = -1;
};

/// Operations on named values, in an order in which each value is made before it is read. A graph computes
/// nothing: see Plan.
class Graph {
 public:
    ValueId input(std::string name, ValueShape shape);
    /// One matrix of stacked arrays (n_i, columns), or one row of stacked vectors.
    ValueId parameter(std::vector<Parameter> stacked);
    /// Returns the operation's outputs; throws ErrorKind::bug where the inputs do not fit.
    std::vector<ValueId> add(Operation operation, std::vector<ValueId> inputs);
    /// Adds an operation that sums the column.
    void term(const std::string& name, ValueId column);
    void seed(ValueId value, ValueId weights) { seeds.push_back({value, weights}); }

    const Value& value(ValueId id) const { return values[index(id)]; }
    Value& value(ValueId id) { return values[index(id)]; }
    /// The node that makes a value; none for inputs and parameters.
    std::optional<std::size_t> maker(ValueId id) const;

    std::vector<Value> values;
    std::vector<GraphNode> nodes;
    std::vector<NamedTerm> terms;
    std::vector<Seed> seeds;
    std::vector<ParameterGradient> gradients;  ///< filled by differentiate
};

}  // namespace vae_dist
