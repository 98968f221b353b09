#include <algorithm>

#include "vae_dist/graph/compile.hpp"

namespace vae_dist {

namespace {

struct Reads {
    bool by_products = false;
    bool only_either = true;  ///< each reader takes both precisions
};

std::vector<Reads> reads_of(const Graph& graph, std::span<const ValueId> wanted) {
    std::vector<Reads> reads(graph.values.size());
    for (const GraphNode& node : graph.nodes) {
        for (std::size_t i = 0; i < node.inputs.size(); ++i) {
            Reads& read = reads[index(node.inputs[i])];
            if (node.operation.reads_as_product(i)) read.by_products = true;
            if (!node.operation.reads_either(i)) read.only_either = false;
        }
    }
    for (const ValueId value : wanted)
        reads[index(value)].only_either = false;
    return reads;
}

}  // namespace

// Weights are rounded where they change. A value is written rounded where its operation can write it so and
// all operations that read it take it so; of any other value a rounded copy is made for products. The further
// outputs of an activation follow the first, for their gradient takes all in one precision.
Graph assign_precision(Graph graph, Precision precision, std::span<const ValueId> wanted) {
    if (precision == Precision::float32) return graph;
    const std::vector<Reads> reads = reads_of(graph, wanted);
    std::vector<ValueId> rounded(graph.values.size(), -1);  // what products read in a value's place
    std::vector<GraphNode> nodes;
    const auto round = [&](ValueId id, const GraphNode& reader) {
        ValueId& known = rounded[index(id)];
        if (known >= 0) return known;
        graph.values.push_back({.name = graph.value(id).name, .shape = graph.value(id).shape});
        known = static_cast<ValueId>(graph.values.size()) - 1;
        graph.value(known).precision = precision;
        nodes.push_back({Round{}, {id}, {known}, reader.rule_of});
        return known;
    };
    const auto is_rounded = [&](const GraphNode& node, std::size_t output) {
        const Reads& read = reads[index(node.outputs[output])];
        if (!read.only_either) return false;
        if (output > 0 && node.operation.writes_either(0))
            return graph.value(node.outputs[0]).precision == precision;
        if (const auto alike = node.operation.alike_input())
            return graph.value(node.inputs[*alike]).precision == precision;
        return read.by_products;
    };
    for (GraphNode& node : graph.nodes) {
        for (std::size_t i = 0; i < node.inputs.size(); ++i) {
            ValueId& id = node.inputs[i];
            if (!node.operation.reads_as_product(i) || graph.value(id).precision == precision) continue;
            if (!graph.value(id).is_parameter()) id = round(id, node);
        }
        for (std::size_t i = 0; i < node.outputs.size(); ++i) {
            if (node.operation.writes_either(i) && is_rounded(node, i))
                graph.value(node.outputs[i]).precision = precision;
        }
        nodes.push_back(std::move(node));
    }
    graph.nodes = std::move(nodes);
    return graph;
}

}  // namespace vae_dist
