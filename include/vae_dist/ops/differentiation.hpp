#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "vae_dist/ops/shape.hpp"

namespace vae_dist {

/// The shapes of an operation's inputs or outputs.
using Shapes = std::vector<ValueShape>;
using ShapesView = std::span<const ValueShape>;

struct Operation;

/// What holds of an operation's inputs and outputs, of which bit i of a mask is for number i.
struct OperationRules {
    unsigned product_inputs = 0;    ///< read by matrix products: in a bfloat16 run they are rounded
    unsigned either_inputs = 0;     ///< further inputs that may be of either precision
    unsigned either_outputs = 0;    ///< may be of either precision
    unsigned optional_outputs = 0;  ///< not computed where nothing reads them
    int alike_input = -1;           ///< output 0 is of the precision of this input
    int in_place_output = -1;       ///< may take the place of input 0
};

/// What an operation's gradient rule works with: the operation's values, and the graph that it adds to. A
/// gradient is the one of what is minimised.
class Differentiation {
 public:
    virtual ~Differentiation() = default;

    virtual ValueId input(std::size_t i) const = 0;
    virtual ValueId output(std::size_t i) const = 0;
    virtual ValueShape shape(ValueId value) const = 0;
    /// The gradient with respect to an output; none where what is minimised does not depend on it.
    virtual std::optional<ValueId> gradient(std::size_t output) const = 0;
    /// Whether a gradient with respect to an input is of use: the input depends on a parameter.
    virtual bool wants(std::size_t input) const = 0;

    /// Adds an operation; returns its outputs.
    virtual std::vector<ValueId> add(Operation operation, std::vector<ValueId> inputs) = 0;
    /// Adds to the gradient with respect to an input.
    virtual void contribute(std::size_t input, ValueId gradient) = 0;
    /// `value`, of an operation of this rule, has the bits of an output, and may take its place.
    virtual void supersede(std::size_t output, ValueId value) = 0;
};

}  // namespace vae_dist
