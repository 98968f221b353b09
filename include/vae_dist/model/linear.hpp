#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "vae_dist/model/parameters.hpp"

namespace vae_dist {

/// A fully connected layer y (B, out) = f(x (B, in) weight^T + bias): its sizes and where its parameters lie.
/// The values live in a ParameterStore. Several heads over the same input, stacked, are one layer whose
/// columns are the heads' side by side.
class Linear {
 public:
    /// Adds "NAME/weight" (out, in) and "NAME/bias" (out) to the layout, for each of `names`; all of `out`
    /// columns each.
    Linear(ParameterLayout& layout, const std::vector<std::string>& names, std::int64_t in, std::int64_t out,
           std::optional<Activation> activation);

    std::int64_t in() const { return in_; }
    std::int64_t out() const { return out_; }  ///< of all heads together
    const std::optional<Activation>& activation() const { return activation_; }

    /// First element of this layer's parameters: all before it are finished before this layer's are.
    std::int64_t begin() const { return weight_; }
    std::int64_t end() const { return end_; }

    /// (out, in), in the precision of products.
    ConstOperand weight(const ParameterStore& store) const;

    /// `before` (B, out) is used only by activations that keep their argument.
    void forward(Backend& backend, const ParameterStore& store, ConstOperand x, Operand before,
                 Operand y) const;

    // --- The backward pass, in two steps. First dy (B, out), the gradient by f's argument, and with it that
    // of the bias:
    /// from `dvalue` (B, out), the gradient by y, whose memory dy may be;
    void backward_activation(Backend& backend, ParameterStore& store, ConstOperand before, ConstOperand y,
                             ConstFloatMatrix dvalue, Operand dy) const;
    /// or, where dy is there already, the bias's alone.
    void backward_bias(Backend& backend, ParameterStore& store, ConstOperand dy) const;
    /// Then the weight's gradient and, unless dx.data is null, the gradient by x (B, in) to dx.
    void backward(Backend& backend, ParameterStore& store, ConstOperand x, ConstOperand dy,
                  FloatMatrix dx) const;

 private:
    std::int64_t in_;
    std::int64_t out_;
    std::optional<Activation> activation_;
    std::int64_t weight_ = 0;  ///< offset of weight (out, in)
    std::int64_t bias_ = 0;    ///< offset of bias (out)
    std::int64_t end_ = 0;
};

}  // namespace vae_dist
