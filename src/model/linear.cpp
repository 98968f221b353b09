#include "vae_dist/model/linear.hpp"

namespace vae_dist {

Linear::Linear(ParameterLayout& layout, const std::vector<std::string>& names, std::int64_t in,
               std::int64_t out, std::optional<Activation> activation)
    : in_(in), out_(out * static_cast<std::int64_t>(names.size())), activation_(activation) {
    std::vector<Parameter> weights;
    std::vector<Parameter> biases;
    for (const std::string& name : names) {
        weights.push_back({name + "/weight", {out, in}});
        biases.push_back({name + "/bias", {out}});
    }
    weight_ = layout.add(std::move(weights));
    bias_ = layout.add(std::move(biases));
    end_ = layout.size();
}

void Linear::forward(Backend& backend, const ParameterStore& store, ConstFloatMatrix x, FloatMatrix before,
                     FloatMatrix y) const {
    backend.linear(x, weight(store), store.values.data() + bias_, activation_ ? &*activation_ : nullptr,
                   before, y);
}

void Linear::backward(Backend& backend, ParameterStore& store, ConstFloatMatrix x, ConstFloatMatrix before,
                      ConstFloatMatrix y, FloatMatrix dy, FloatMatrix dx) const {
    if (activation_) backend.activation_backward(*activation_, before, y, dy);
    backend.linear_backward_weight(dy, x, FloatMatrix(store.gradients.data() + weight_, out_, in_),
                                   store.gradients.data() + bias_);
    if (dx.data != nullptr) backend.linear_backward_input(dy, weight(store), dx);
}

}  // namespace vae_dist
