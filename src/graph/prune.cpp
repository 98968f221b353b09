#include <algorithm>

#include "vae_dist/core/error.hpp"
#include "vae_dist/graph/compile.hpp"

namespace vae_dist {

namespace {

// Emits the nodes that are needed, each behind those that it needs.
class Pruning {
 public:
    Pruning(const Graph& graph, std::span<const ValueId> given)
        : graph_(graph), maker_(graph.values.size(), kNobody), place_(graph.nodes.size(), kNobody) {
        for (std::size_t i = 0; i < graph.nodes.size(); ++i)
            for (const ValueId output : graph.nodes[i].outputs)
                maker_[index(output)] = i;
        for (const ValueId value : given)
            maker_[index(value)] = kNobody;
    }

    void want(ValueId value) {
        const std::size_t maker = maker_[index(value)];
        if (maker != kNobody) emit(maker);
    }

    void emit(std::size_t node) {
        if (place_[node] != kNobody) return;
        require(!under_way_[node], "no value is made from itself");
        under_way_[node] = true;
        for (const ValueId input : graph_.nodes[node].inputs)
            want(input);
        place_[node] = order_.size();
        order_.push_back(node);
    }

    bool has(std::size_t node) const { return place_[node] != kNobody; }
    std::vector<GraphNode> nodes() const {
        std::vector<GraphNode> nodes;
        nodes.reserve(order_.size());
        for (const std::size_t node : order_)
            nodes.push_back(graph_.nodes[node]);
        return nodes;
    }

 private:
    static constexpr std::size_t kNobody = static_cast<std::size_t>(-1);

    const Graph& graph_;
    std::vector<std::size_t> maker_;
    std::vector<std::size_t> place_;
    std::vector<std::size_t> order_;
    std::vector<bool> under_way_ = std::vector<bool>(graph_.nodes.size(), false);
};

}  // namespace

Graph prune(Graph graph, std::span<const ValueId> wanted, std::span<const ValueId> given, Terms terms) {
    // First which are needed, then these in their old order.
    Pruning needed(graph, given);
    for (const ValueId value : wanted)
        needed.want(value);
    for (std::size_t i = 0; i < graph.nodes.size(); ++i)
        if (terms == Terms::summed && graph.nodes[i].operation.as<SumTerm>() != nullptr) needed.emit(i);
    Pruning ordered(graph, given);
    for (std::size_t i = 0; i < graph.nodes.size(); ++i)
        if (needed.has(i)) ordered.emit(i);
    graph.nodes = ordered.nodes();
    return graph;
}

}  // namespace vae_dist
