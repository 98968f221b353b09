#include "vae_dist/graph/plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "vae_dist/core/error.hpp"

namespace vae_dist {

namespace {

std::int64_t rows_of(const Pass& pass, const ValueShape& shape) {
    return RowLimits{pass.rows, pass.rows * pass.draws}.rows(shape);
}

std::vector<ValueId> with_gradients(const Graph& graph, std::vector<ValueId> wanted) {
    for (const ParameterGradient& of : graph.gradients)
        wanted.push_back(of.gradient);
    return wanted;
}

Graph compiled(Graph graph, const Goal& goal, Precision precision) {
    if (goal.gradients) graph = differentiate(std::move(graph));
    const std::vector<ValueId> wanted = with_gradients(graph, goal.wanted);
    graph = prune(std::move(graph), wanted, goal.given, goal.terms);
    return assign_precision(std::move(graph), precision, goal.wanted);
}

}  // namespace

ParameterLayout layout_of(const Graph& graph) {
    Graph backward = compiled(graph, {.terms = Terms::summed, .gradients = true}, Precision::float32);
    for (const GraphNode& node : backward.nodes) {
        for (std::size_t i = 0; i < node.inputs.size(); ++i) {
            if (node.operation.reads_as_product(i)) continue;
            for (Parameter& parameter : backward.value(node.inputs[i]).parameters)
                parameter.read_as_float = true;
        }
    }
    ParameterLayout layout;
    for (const FinishedParameters& finished : finish_order(backward))
        for (const ValueId parameter : finished.parameters)
            layout.add(backward.value(parameter).parameters);
    return layout;
}

Plan::Plan(Graph graph, const Goal& goal, Precision precision, const ParameterLayout& layout)
    : graph_(compiled(std::move(graph), goal, precision)),
      wanted_(goal.wanted),
      sources_(graph_.values.size()) {
    for (std::size_t id = 0; id < graph_.values.size(); ++id) {
        const Value& value = graph_.values[id];
        if (!value.is_parameter()) continue;
        const auto offset = static_cast<std::size_t>(layout.find(value.parameters.front().name).offset);
        sources_[id] = {Kind::parameter, offset};
    }
    for (std::size_t i = 0; i < goal.given.size(); ++i)
        sources_[index(goal.given[i])] = {Kind::given, i};
    for (const ParameterGradient& of : graph_.gradients)
        sources_[index(of.gradient)] = {Kind::gradient, sources_[index(of.parameter)].place};

    for (const GraphNode& node : graph_.nodes)
        for (const ValueId output : node.outputs)
            require(sources_[index(output)].kind != Kind::given, "nobody makes what is given");

    unread_.resize(graph_.values.size(), false);
    for (const GraphNode& node : graph_.nodes)
        for (std::size_t i = 0; i < node.outputs.size(); ++i)
            unread_[index(node.outputs[i])] = node.operation.is_optional(i);
    for (const GraphNode& node : graph_.nodes)
        for (const ValueId input : node.inputs)
            unread_[index(input)] = false;
    for (const ValueId value : wanted_)
        unread_[index(value)] = false;

    forward_end_ = graph_.nodes.size();
    if (!goal.gradients) return;
    while (forward_end_ > 0 && graph_.nodes[forward_end_ - 1].operation.as<SumTerm>() == nullptr)
        --forward_end_;
    for (const FinishedParameters& finished : finish_order(graph_)) {
        const Parameter& last = graph_.value(finished.parameters.back()).parameters.back();
        const Parameter& placed = layout.find(last.name);
        ready_.push_back({finished.end, ParameterLayout::end_of_block(placed.offset + placed.size())});
    }
    require(goal.terms == Terms::summed, "a forward pass ends with its terms");
    require(!ready_.empty() && std::ranges::is_sorted(ready_, {}, &Ready::end) &&
                ready_.back().end == layout.size(),
            "parameters lie in the order in which their gradients are finished");
}

std::size_t Plan::bytes(const RowLimits& limits, Reuse reuse) const {
    return allocate(graph_, wanted_, limits, reuse).bytes;
}

void Plan::use(std::byte* memory, const RowLimits& limits, Reuse reuse) {
    memory_ = memory;
    limits_ = limits;
    const Places places = allocate(graph_, wanted_, limits, reuse);
    for (std::size_t id = 0; id < graph_.values.size(); ++id)
        sources_[id].place = places.first[id].value_or(sources_[id].place);
}

FloatMatrix Plan::value(ValueId id, std::int64_t rows) const {
    const Value& value = graph_.value(id);
    require(std::ranges::count(wanted_, id) == 1, "a value that is asked for was wanted");
    require(rows <= limits_.rows(value.shape), "a pass is not larger than what was reserved");
    return {reinterpret_cast<float*>(memory_ + sources_[index(id)].place), rows, value.shape.columns};
}

ConstOperand Plan::to_read(const Run& run, ValueId id, bool by_product) const {
    const ValueShape& shape = graph_.value(id).shape;
    const Source& source = sources_[index(id)];
    if (source.kind == Kind::given) {
        require(source.place < run.given.size(), "a run is given what it reads");
        const ConstFloatMatrix& given = run.given[source.place];
        require(given.rows == rows_of(run.pass, shape) && given.columns == shape.columns,
                "what is given has the shape of the pass");
        return given;
    }
    if (source.kind == Kind::parameter) {
        if (by_product && !run.store.operands.empty()) {
            return ConstBFloat16Matrix(run.store.operands.data() + source.place, shape.fixed_rows,
                                       shape.columns);
        }
        return ConstFloatMatrix(run.store.values.data() + source.place, shape.fixed_rows, shape.columns);
    }
    return to_write(run, id);
}

Operand Plan::to_write(const Run& run, ValueId id) const {
    const Value& value = graph_.value(id);
    const Source& source = sources_[index(id)];
    const std::int64_t rows = rows_of(run.pass, value.shape);
    if (source.kind == Kind::gradient)
        return FloatMatrix(run.store.gradients.data() + source.place, rows, value.shape.columns);
    std::byte* const first = memory_ + source.place;
    if (value.precision == Precision::bfloat16)
        return BFloat16Matrix(reinterpret_cast<BFloat16*>(first), rows, value.shape.columns);
    return FloatMatrix(reinterpret_cast<float*>(first), rows, value.shape.columns);
}

void Plan::run_steps(const Run& run, std::size_t first, std::size_t end) const {
    require(run.pass.rows <= limits_.samples && run.pass.rows * run.pass.draws <= limits_.draws,
            "a pass is not larger than what was reserved");
    constexpr std::size_t kMost = 8;
    for (std::size_t step = first; step < end; ++step) {
        const GraphNode& node = graph_.nodes[step];
        require(node.inputs.size() <= kMost && node.outputs.size() <= kMost, "an operation has few values");
        std::array<ConstOperand, kMost> inputs;
        std::array<Operand, kMost> outputs;
        for (std::size_t i = 0; i < node.inputs.size(); ++i)
            inputs[i] = to_read(run, node.inputs[i], node.operation.reads_as_product(i));
        for (std::size_t i = 0; i < node.outputs.size(); ++i)
            if (!unread_[index(node.outputs[i])]) outputs[i] = to_write(run, node.outputs[i]);
        run.backend.run(node.operation, {.inputs = std::span(inputs).first(node.inputs.size()),
                                         .outputs = std::span(outputs).first(node.outputs.size()),
                                         .pass = run.pass,
                                         .terms = run.terms});
    }
}

void Plan::forward(const Run& run) const {
    run_steps(run, 0, forward_end_);
}

void Plan::backward(const Run& run, const GradientsReady& ready) const {
    std::size_t done = forward_end_;
    for (const Ready& finished : ready_) {
        const std::size_t end = std::max(done, finished.step);
        run_steps(run, done, end);
        done = end;
        ready(finished.end);
    }
}

std::vector<Plan::Line> Plan::table() const {
    const auto describe = [&](ValueId id) {
        const Value& value = graph_.value(id);
        std::string rows = "B";
        if (value.shape.rows == RowClass::draw) rows = "B K";
        if (value.shape.rows == RowClass::fixed) rows = std::to_string(value.shape.fixed_rows);
        const char* const precision = value.precision == Precision::bfloat16 ? " bfloat16" : "";
        const std::string name = value.name.empty() ? fmt::format("#{}", id) : value.name;
        return fmt::format("{} ({}, {}){}", name, rows, value.shape.columns, precision);
    };
    const auto place = [&](ValueId id) -> std::string {
        const Source& source = sources_[index(id)];
        if (unread_[index(id)]) return "not computed";
        return source.kind == Kind::gradient ? "gradient" : std::to_string(source.place);
    };
    const auto list = [](const std::vector<ValueId>& ids, const auto& describe_one) {
        std::vector<std::string> texts;
        texts.reserve(ids.size());
        for (const ValueId id : ids)
            texts.push_back(describe_one(id));
        if (texts.empty()) return std::string("-");
        return fmt::format("{}", fmt::join(texts, ", "));
    };
    std::vector<Line> lines;
    for (const GraphNode& node : graph_.nodes) {
        Line line = {.operation = node.operation.name(),
                     .reads = list(node.inputs, describe),
                     .writes = list(node.outputs, describe),
                     .places = list(node.outputs, place)};
        for (const ValueId id : node.outputs) {
            const Value& value = graph_.value(id);
            const std::int64_t element = value.precision == Precision::bfloat16 ? 2 : 4;
            if (!unread_[index(id)]) line.bytes += limits_.rows(value.shape) * value.shape.columns * element;
        }
        lines.push_back(std::move(line));
    }
    return lines;
}

}  // namespace vae_dist
