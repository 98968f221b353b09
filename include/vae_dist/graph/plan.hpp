#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "vae_dist/backend/backend.hpp"
#include "vae_dist/graph/compile.hpp"

namespace vae_dist {

/// Called by a backward pass when all gradients before this offset of the flat array are final.
using GradientsReady = std::function<void(std::int64_t end)>;

/// What a plan is made for.
struct Goal {
    std::vector<ValueId> wanted = {};  ///< whose numbers stay until the plan's next run
    std::vector<ValueId> given = {};   ///< whose numbers are there at the start of a run
    Terms terms = Terms::left_out;
    bool gradients = false;  ///< with respect to all parameters
};

/// A graph compiled for a goal: the operations of a pass, one after the other, with the place of each value.
/// A pass walks the list and allocates nothing.
class Plan {
 public:
    Plan() = default;
    /// `layout` holds the graph's parameters.
    Plan(Graph graph, const Goal& goal, Precision precision, const ParameterLayout& layout);

    /// Of memory for passes up to these limits.
    std::size_t bytes(const RowLimits& limits, Reuse reuse = Reuse::on) const;
    /// From now on passes use this memory, of bytes(limits, reuse).
    void use(std::byte* memory, const RowLimits& limits, Reuse reuse = Reuse::on);

    /// A run, of the values of the goal's `given` in their order.
    struct Run {
        Backend& backend;
        ParameterStore& store;
        const Pass& pass;
        std::span<const ConstFloatMatrix> given;
        double* terms = nullptr;  ///< one a term
    };
    /// All steps; of a plan with gradients the terms, and what `backward` needs.
    void forward(const Run& run) const;
    /// The gradients of the pass that `forward` made. `ready` is told of each finished prefix.
    void backward(const Run& run, const GradientsReady& ready) const;

    /// A wanted value of a pass.
    FloatMatrix value(ValueId id, std::int64_t rows) const;

    const Graph& graph() const { return graph_; }
    /// A step, in words.
    struct Line {
        std::string operation;
        std::string reads;       ///< "x (B, 784), encoder/0/weight (512, 784)"
        std::string writes;      ///< the shapes
        std::string places;      ///< bytes from the start of the memory; "gradient" in the flat array
        std::int64_t bytes = 0;  ///< of what is written, at the limits
    };
    /// After `use`.
    std::vector<Line> table() const;
    /// Steps before this one are the forward pass's.
    std::size_t forward_end() const { return forward_end_; }

 private:
    enum class Kind { value, given, parameter, gradient };
    struct Source {
        Kind kind = Kind::value;
        std::size_t place = 0;  ///< of the memory, of `given`, or of the flat arrays
    };

    void run_steps(const Run& run, std::size_t first, std::size_t end) const;
    ConstOperand to_read(const Run& run, ValueId id, bool by_product) const;
    Operand to_write(const Run& run, ValueId id) const;

    Graph graph_;
    std::vector<ValueId> wanted_;
    std::vector<Source> sources_;  ///< of each value
    std::vector<bool> unread_;     ///< of each value: optional, and read by no node
    std::size_t forward_end_ = 0;  ///< first step of the backward pass
    struct Ready {
        std::size_t step = 0;  ///< the steps before it have run
        std::int64_t end = 0;
    };
    std::vector<Ready> ready_;
    std::byte* memory_ = nullptr;
    RowLimits limits_;
};

/// The parameters of a graph in the order in which its backward pass finishes their gradients.
ParameterLayout layout_of(const Graph& graph);

}  // namespace vae_dist
