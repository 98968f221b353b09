#include <algorithm>

#include "vae_dist/core/error.hpp"
#include "vae_dist/graph/compile.hpp"

namespace vae_dist {

namespace {

// Whether each value depends on one for which this holds. A superseded value's readers may stand before the
// node that makes what they read now, and so one look at the nodes is not enough.
std::vector<bool> depending(const Graph& graph, std::vector<bool> on) {
    on.resize(graph.values.size(), false);
    for (bool changed = true; changed;) {
        changed = false;
        for (const GraphNode& node : graph.nodes) {
            if (std::ranges::none_of(node.inputs, [&](ValueId id) { return on[index(id)]; })) continue;
            for (const ValueId output : node.outputs) {
                changed = changed || !on[index(output)];
                on[index(output)] = true;
            }
        }
    }
    return on;
}

class Reverse {
 public:
    explicit Reverse(Graph graph) : graph_(std::move(graph)), contributions_(graph_.values.size()) {
        std::vector<bool> parameters;
        parameters.reserve(graph_.values.size());
        for (const Value& value : graph_.values)
            parameters.push_back(value.is_parameter());
        depends_ = depending(graph_, std::move(parameters));
        for (const Seed& seed : graph_.seeds)
            contributions_[index(seed.value)].push_back(seed.weights);
    }

    Graph run() {
        for (std::size_t i = graph_.nodes.size(); i-- > 0;)
            differentiate(i);
        for (std::size_t id = 0; id < graph_.values.size(); ++id) {
            if (!graph_.values[id].is_parameter()) continue;
            const auto gradient = sum(static_cast<ValueId>(id));
            require(gradient.has_value(), "what is minimised depends on every parameter");
            graph_.gradients.push_back({static_cast<ValueId>(id), gradient.value()});
        }
        for (const auto& [old, value] : superseded_)
            replace(old, value);
        return std::move(graph_);
    }

 private:
    class Rule;

    void differentiate(std::size_t node);

    // Of all contributions, added up by the rule that made the last one.
    std::optional<ValueId> sum(ValueId value) {
        if (index(value) >= contributions_.size()) return std::nullopt;
        std::vector<ValueId>& parts = contributions_[index(value)];
        if (parts.empty()) return std::nullopt;
        ValueId total = parts.front();
        for (std::size_t i = 1; i < parts.size(); ++i) {
            const auto maker = graph_.maker(parts[i]);
            total = graph_.add(Add{}, {total, parts[i]})[0];
            graph_.nodes.back().rule_of = maker ? graph_.nodes[*maker].rule_of : std::nullopt;
        }
        parts.assign(1, total);
        return total;
    }

    // Unless `value` is made from `old`.
    void replace(ValueId old, ValueId value) {
        std::vector<bool> on(graph_.values.size(), false);
        on[index(old)] = true;
        if (depending(graph_, std::move(on))[index(value)]) return;
        for (GraphNode& node : graph_.nodes)
            std::ranges::replace(node.inputs, old, value);
        for (NamedTerm& term : graph_.terms)
            if (term.column == old) term.column = value;
    }

    Graph graph_;
    std::vector<bool> depends_;
    std::vector<std::vector<ValueId>> contributions_;
    std::vector<std::pair<ValueId, ValueId>> superseded_;
};

class Reverse::Rule final : public Differentiation {
 public:
    Rule(Reverse& reverse, std::size_t node, std::vector<std::optional<ValueId>> gradients)
        : reverse_(reverse),
          node_(node),
          inputs_(reverse.graph_.nodes[node].inputs),
          outputs_(reverse.graph_.nodes[node].outputs),
          gradients_(std::move(gradients)) {}

    ValueId input(std::size_t i) const override { return inputs_.at(i); }
    ValueId output(std::size_t i) const override { return outputs_.at(i); }
    ValueShape shape(ValueId value) const override { return reverse_.graph_.value(value).shape; }
    std::optional<ValueId> gradient(std::size_t output) const override { return gradients_.at(output); }
    bool wants(std::size_t input) const override { return reverse_.depends_[index(inputs_.at(input))]; }

    std::vector<ValueId> add(Operation operation, std::vector<ValueId> inputs) override {
        std::vector<ValueId> outputs = reverse_.graph_.add(operation, std::move(inputs));
        reverse_.graph_.nodes.back().rule_of = node_;
        return outputs;
    }
    void contribute(std::size_t input, ValueId gradient) override {
        require(reverse_.graph_.value(inputs_.at(input)).shape == shape(gradient),
                "a gradient has the shape of its value");
        if (wants(input)) reverse_.contributions_[index(inputs_.at(input))].push_back(gradient);
    }
    void supersede(std::size_t output, ValueId value) override {
        reverse_.superseded_.emplace_back(outputs_.at(output), value);
    }

 private:
    Reverse& reverse_;
    std::size_t node_;
    std::vector<ValueId> inputs_;
    std::vector<ValueId> outputs_;
    std::vector<std::optional<ValueId>> gradients_;
};

void Reverse::differentiate(std::size_t node) {
    const std::vector<ValueId> outputs = graph_.nodes[node].outputs;
    std::vector<std::optional<ValueId>> gradients;
    gradients.reserve(outputs.size());
    for (const ValueId output : outputs)
        gradients.push_back(sum(output));
    if (std::ranges::none_of(gradients, [](const auto& gradient) { return gradient.has_value(); })) return;
    const Operation operation = graph_.nodes[node].operation;
    Rule rule(*this, node, std::move(gradients));
    operation.differentiate(rule);
}

}  // namespace

Graph differentiate(Graph graph) {
    return Reverse(std::move(graph)).run();
}

}  // namespace vae_dist
