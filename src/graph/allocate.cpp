#include <algorithm>

#include "vae_dist/core/bfloat16.hpp"
#include "vae_dist/core/error.hpp"
#include "vae_dist/graph/compile.hpp"

namespace vae_dist {

namespace {

constexpr std::size_t kCacheLine = 64;
constexpr std::size_t kForever = static_cast<std::size_t>(-1);

// A stretch of memory, and the last node that needs what lies there.
struct Taken {
    std::size_t first = 0;
    std::size_t bytes = 0;
    std::size_t until = 0;
};

class Allocation {
 public:
    Allocation(const Graph& graph, std::span<const ValueId> wanted, const RowLimits& limits, Reuse reuse)
        : graph_(graph), limits_(limits), reuse_(reuse), last_read_(graph.values.size(), 0) {
        places_.first.resize(graph.values.size());
        elsewhere_.resize(graph.values.size(), false);
        for (std::size_t i = 0; i < graph.nodes.size(); ++i)
            for (const ValueId input : graph.nodes[i].inputs)
                last_read_[index(input)] = i;
        for (const ValueId value : wanted)
            last_read_[index(value)] = kForever;
        for (const ParameterGradient& of : graph.gradients)
            elsewhere_[index(of.gradient)] = true;
        if (reuse == Reuse::off) std::ranges::fill(last_read_, kForever);
    }

    Places run() {
        for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
            std::erase_if(taken_, [&](const Taken& taken) { return taken.until < i; });
            for (std::size_t output = 0; output < graph_.nodes[i].outputs.size(); ++output)
                place(i, output);
        }
        return std::move(places_);
    }

 private:
    std::size_t bytes_of(ValueId id) const {
        const Value& value = graph_.value(id);
        const std::size_t element = value.precision == Precision::float32 ? sizeof(float) : sizeof(BFloat16);
        const auto elements = static_cast<std::size_t>(limits_.rows(value.shape) * value.shape.columns);
        return std::max((elements * element + kCacheLine - 1) / kCacheLine, std::size_t{1}) * kCacheLine;
    }

    void place(std::size_t node, std::size_t output) {
        const ValueId id = graph_.nodes[node].outputs[output];
        if (elsewhere_[index(id)]) return;
        const std::size_t until = std::max(last_read_[index(id)], node);
        if (overwrite_input(node, output, until)) return;
        const std::size_t bytes = bytes_of(id);
        const std::size_t first = first_gap(bytes);
        taken_.push_back({first, bytes, until});
        std::ranges::sort(taken_, {}, &Taken::first);
        places_.first[index(id)] = first;
        places_.bytes = std::max(places_.bytes, first + bytes);
    }

    // Where the operation allows it, and no node reads the input afterwards.
    bool overwrite_input(std::size_t node, std::size_t output, std::size_t until) {
        const GraphNode& maker = graph_.nodes[node];
        const ValueId id = maker.outputs[output];
        if (!maker.operation.may_overwrite_input(output) || reuse_ == Reuse::off) return false;
        const ValueId input = maker.inputs[0];
        const auto place = places_.first[index(input)];
        const bool alike = graph_.value(input).precision == graph_.value(id).precision &&
                           graph_.value(input).shape == graph_.value(id).shape;
        if (!place || !alike || last_read_[index(input)] != node) return false;
        if (std::ranges::count(maker.inputs, input) != 1) return false;
        for (Taken& taken : taken_)
            if (taken.first == *place) taken.until = until;
        places_.first[index(id)] = place;
        return true;
    }

    std::size_t first_gap(std::size_t bytes) const {
        std::size_t first = 0;
        for (const Taken& taken : taken_) {
            if (taken.first >= first + bytes) break;
            first = std::max(first, taken.first + taken.bytes);
        }
        return first;
    }

    const Graph& graph_;
    RowLimits limits_;
    Reuse reuse_;
    std::vector<std::size_t> last_read_;
    std::vector<bool> elsewhere_;
    std::vector<Taken> taken_;  // in the order of the memory
    Places places_;
};

}  // namespace

std::int64_t RowLimits::rows(const ValueShape& shape) const {
    switch (shape.rows) {
        case RowClass::sample:
            return samples;
        case RowClass::draw:
            return draws;
        case RowClass::fixed:
            return shape.fixed_rows;
    }
    require(false, "every class of rows has a number");
    return 0;
}

Places allocate(const Graph& graph, std::span<const ValueId> wanted, const RowLimits& limits, Reuse reuse) {
    return Allocation(graph, wanted, limits, reuse).run();
}

}  // namespace vae_dist
