#pragma once

#include <functional>
#include <vector>

#include "vae_dist/model/backward_space.hpp"
#include "vae_dist/model/linear.hpp"

namespace vae_dist {

/// Called by a backward pass when all gradients before this offset of the flat array are final.
using GradientsReady = std::function<void(std::int64_t end)>;

/// A stack of fully connected layers with activations, and the memory of one pass through them.
class HiddenLayers {
 public:
    /// Adds the parameters "NAME/0/weight", ... to the layout, last layer first; `sizes` may be empty.
    HiddenLayers(ParameterLayout& layout, const std::string& name, std::int64_t in,
                 const std::vector<std::int64_t>& sizes, Activation activation);

    std::int64_t in() const { return in_; }
    std::int64_t out() const { return layers_.empty() ? in_ : layers_.back().out(); }
    const std::vector<Linear>& layers() const { return layers_; }

    std::int64_t widest_output() const;  ///< 0 where there are no layers

    /// What a pass leaves for the backward pass, a layer.
    struct Space {
        Operand output;  ///< (rows, out)
        Operand before;  ///< (rows, out), where the activation keeps its argument
    };
    /// Memory for passes of up to `rows` samples.
    std::vector<Space> lay_out(Arena& arena, Precision precision, std::int64_t rows) const;
    /// From now on passes use this.
    void use(std::vector<Space> spaces) { spaces_ = std::move(spaces); }

    /// The last layer's output (B, out), kept until the next pass; `x` itself where there are no layers.
    ConstOperand forward(Backend& backend, const ParameterStore& store, ConstOperand x);

    /// From dvalue (B, out), of `space`, the gradients of all layers; returns that by x (B, in), of `space`
    /// too, or nothing unless `to_input`.
    FloatMatrix backward(Backend& backend, ParameterStore& store, ConstOperand x, FloatMatrix dvalue,
                         bool to_input, BackwardSpace& space, const GradientsReady& ready);

 private:
    std::int64_t in_;
    std::vector<Linear> layers_;
    std::vector<Space> spaces_;
};

}  // namespace vae_dist
