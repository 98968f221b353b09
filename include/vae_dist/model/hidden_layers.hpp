#pragma once

#include <functional>
#include <vector>

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

    /// Allocates the memory for passes of up to `rows` samples.
    void reserve(Backend& backend, std::int64_t rows);

    /// The last layer's output (B, out), kept until the next pass; `x` itself where there are no layers.
    ConstFloatMatrix forward(Backend& backend, const ParameterStore& store, ConstFloatMatrix x);

    /// From dy (B, out), which is overwritten, the gradients of all layers and, unless dx.data is null, of x.
    void backward(Backend& backend, ParameterStore& store, ConstFloatMatrix x, FloatMatrix dy, FloatMatrix dx,
                  const GradientsReady& ready);

    /// Bytes that `reserve` takes for `rows` samples.
    std::int64_t workspace_bytes(std::int64_t rows) const;

 private:
    struct Workspace {
        Buffer output;    ///< (rows, out)
        Buffer before;    ///< (rows, out), where the activation keeps its argument
        Buffer gradient;  ///< (rows, in) by the layer's input; none for the first
    };

    std::int64_t in_;
    std::vector<Linear> layers_;
    std::vector<Workspace> workspace_;
};

}  // namespace vae_dist
