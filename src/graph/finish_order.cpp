#include <algorithm>
#include <map>

#include "vae_dist/core/error.hpp"
#include "vae_dist/graph/compile.hpp"

namespace vae_dist {

// What a node's rule adds is done as a whole before its gradients are told of: a layer's products read the
// same matrix, which sums in between would drive from the cache.
std::vector<FinishedParameters> finish_order(const Graph& graph) {
    std::map<std::size_t, FinishedParameters> by_rule;
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
        const GraphNode& node = graph.nodes[i];
        if (node.rule_of) by_rule[*node.rule_of].end = i + 1;
    }
    for (const ParameterGradient& of : graph.gradients) {
        const auto maker = graph.maker(of.gradient);
        require(maker && graph.nodes[*maker].rule_of, "a gradient is made by a rule");
        by_rule[*graph.nodes[*maker].rule_of].parameters.push_back(of.parameter);
    }
    std::vector<FinishedParameters> order;
    for (auto& [rule, finished] : by_rule)
        if (!finished.parameters.empty()) order.push_back(std::move(finished));
    std::ranges::sort(order, {}, &FinishedParameters::end);
    return order;
}

}  // namespace vae_dist
