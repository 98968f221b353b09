#include "vae_dist/graph/graph.hpp"

#include <algorithm>

#include "vae_dist/core/error.hpp"

namespace vae_dist {

ValueId Graph::input(std::string name, ValueShape shape) {
    values.push_back({.name = std::move(name), .shape = shape});
    return static_cast<ValueId>(values.size()) - 1;
}

ValueId Graph::parameter(std::vector<Parameter> stacked) {
    require(!stacked.empty(), "a parameter has a name");
    std::int64_t rows = 0;
    std::int64_t columns = 0;
    for (const Parameter& part : stacked) {
        if (part.is_vector()) {
            rows = 1;
            columns += part.shape.front();
        } else {
            rows += part.shape.front();
            columns = part.size() / part.shape.front();
        }
    }
    std::int64_t elements = 0;
    for (const Parameter& part : stacked)
        elements += part.size();
    require(elements == rows * columns, "stacked arrays have equal columns");
    std::string name = stacked.front().name;
    values.push_back(
        {.name = std::move(name), .shape = fixed_shape(rows, columns), .parameters = std::move(stacked)});
    return static_cast<ValueId>(values.size()) - 1;
}

std::vector<ValueId> Graph::add(Operation operation, std::vector<ValueId> inputs) {
    Shapes shapes;
    for (const ValueId id : inputs)
        shapes.push_back(value(id).shape);
    std::vector<ValueId> outputs;
    for (const ValueShape& shape : operation.shapes(shapes)) {
        values.push_back({.name = {}, .shape = shape});
        outputs.push_back(static_cast<ValueId>(values.size()) - 1);
    }
    nodes.push_back({operation, std::move(inputs), outputs, std::nullopt});
    return outputs;
}

void Graph::term(const std::string& name, ValueId column) {
    add(SumTerm{.term = terms.size()}, {column});
    terms.push_back({name, column});
}

std::optional<std::size_t> Graph::maker(ValueId id) const {
    const auto makes = [&](const GraphNode& node) { return std::ranges::count(node.outputs, id) > 0; };
    const auto at = std::ranges::find_if(nodes, makes);
    if (at == nodes.end()) return std::nullopt;
    return static_cast<std::size_t>(at - nodes.begin());
}

}  // namespace vae_dist
