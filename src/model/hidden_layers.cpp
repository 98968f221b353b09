#include "vae_dist/model/hidden_layers.hpp"

#include <fmt/format.h>

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

void HiddenLayers::reserve(Backend& backend, std::int64_t rows) {
    const auto matrix = [&](std::int64_t columns) {
        return backend.allocate(static_cast<std::size_t>(rows * columns) * sizeof(float));
    };
    workspace_.clear();
    for (const Linear& layer : layers_) {
        Workspace& space = workspace_.emplace_back();
        space.output = matrix(layer.out());
        if (keeps_preactivation(*layer.activation())) space.before = matrix(layer.out());
        if (&layer != &layers_.front()) space.gradient = matrix(layer.in());
    }
}

ConstFloatMatrix HiddenLayers::forward(Backend& backend, const ParameterStore& store, ConstFloatMatrix x) {
    for (std::size_t i = 0; i < layers_.size(); ++i) {
        const Linear& layer = layers_[i];
        const FloatMatrix before(workspace_[i].before.as<float>(), x.rows, layer.out());
        const FloatMatrix y(workspace_[i].output.as<float>(), x.rows, layer.out());
        layer.forward(backend, store, x, before, y);
        x = y;
    }
    return x;
}

void HiddenLayers::backward(Backend& backend, ParameterStore& store, ConstFloatMatrix x, FloatMatrix dy,
                            FloatMatrix dx, const GradientsReady& ready) {
    for (std::size_t i = layers_.size(); i-- > 0;) {
        const Linear& layer = layers_[i];
        const auto output = [&](std::size_t of) {
            return ConstFloatMatrix(workspace_[of].output.as<float>(), x.rows, layers_[of].out());
        };
        const ConstFloatMatrix before(workspace_[i].before.as<float>(), x.rows, layer.out());
        const FloatMatrix by_input =
            i == 0 ? dx : FloatMatrix(workspace_[i].gradient.as<float>(), x.rows, layer.in());
        layer.backward(backend, store, i == 0 ? x : output(i - 1), before, output(i), dy, by_input);
        ready(layer.end());
        dy = by_input;
    }
}

std::int64_t HiddenLayers::workspace_bytes(std::int64_t rows) const {
    std::int64_t columns = 0;
    for (const Linear& layer : layers_) {
        columns += layer.out() * (keeps_preactivation(*layer.activation()) ? 2 : 1);
        if (&layer != &layers_.front()) columns += layer.in();
    }
    return columns * rows * static_cast<std::int64_t>(sizeof(float));
}

}  // namespace vae_dist
