#include "vae_dist/model/hidden_layers.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace vae_dist {

HiddenLayers::HiddenLayers(ParameterLayout& layout, const std::string& name, std::int64_t in,
                           const std::vector<std::int64_t>& sizes, Activation activation)
    : in_(in) {
    for (std::size_t i = sizes.size(); i-- > 0;) {
        const std::int64_t layer_in = i == 0 ? in : sizes[i - 1];
        layers_.emplace(layers_.begin(), layout, std::vector{fmt::format("{}/{}", name, i)}, layer_in,
                        sizes[i], activation);
    }
}

std::int64_t HiddenLayers::widest_output() const {
    std::int64_t widest = 0;
    for (const Linear& layer : layers_)
        widest = std::max(widest, layer.out());
    return widest;
}

std::vector<HiddenLayers::Space> HiddenLayers::lay_out(Arena& arena, Precision precision,
                                                       std::int64_t rows) const {
    std::vector<Space> spaces;
    for (const Linear& layer : layers_) {
        Space& space = spaces.emplace_back();
        space.output = arena.operand(precision, rows, layer.out());
        if (keeps_preactivation(*layer.activation()))
            space.before = arena.operand(precision, rows, layer.out());
    }
    return spaces;
}

ConstOperand HiddenLayers::forward(Backend& backend, const ParameterStore& store, ConstOperand x) {
    for (std::size_t i = 0; i < layers_.size(); ++i) {
        const Operand y = spaces_[i].output.row_block(0, x.rows());
        layers_[i].forward(backend, store, x, spaces_[i].before.row_block(0, x.rows()), y);
        x = y;
    }
    return x;
}

FloatMatrix HiddenLayers::backward(Backend& backend, ParameterStore& store, ConstOperand x,
                                   FloatMatrix dvalue, bool to_input, BackwardSpace& space,
                                   const GradientsReady& ready) {
    for (std::size_t i = layers_.size(); i-- > 0;) {
        const Linear& layer = layers_[i];
        const auto kept = [&](const Operand& matrix) { return matrix.row_block(0, x.rows()); };
        const Operand dy = space.operand(dvalue);
        layer.backward_activation(backend, store, kept(spaces_[i].before), kept(spaces_[i].output), dvalue,
                                  dy);
        const FloatMatrix dx = i > 0 || to_input ? space.other(dvalue, layer.in()) : FloatMatrix();
        layer.backward(backend, store, i == 0 ? x : kept(spaces_[i - 1].output), dy, dx);
        ready(layer.end());
        dvalue = dx;
    }
    return dvalue;
}

}  // namespace vae_dist
