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

ConstOperand Linear::weight(const ParameterStore& store) const {
    if (store.operands.empty()) return ConstFloatMatrix(store.values.data() + weight_, out_, in_);
    return ConstBFloat16Matrix(store.operands.data() + weight_, out_, in_);
}

void Linear::forward(Backend& backend, const ParameterStore& store, ConstOperand x, Operand before,
                     Operand y) const {
    backend.linear(x, weight(store), store.values.data() + bias_, activation_ ? &*activation_ : nullptr,
                   before, y);
}

void Linear::backward_activation(Backend& backend, ParameterStore& store, ConstOperand before, ConstOperand y,
                                 ConstFloatMatrix dvalue, Operand dy) const {
    float* const dbias = store.gradients.data() + bias_;
    if (activation_) return backend.activation_backward(*activation_, before, y, dvalue, dy, dbias);
    backend.column_sums(dvalue, dbias);
    backend.convert(dvalue, dy);
}

void Linear::backward_bias(Backend& backend, ParameterStore& store, ConstOperand dy) const {
    backend.column_sums(dy, store.gradients.data() + bias_);
}

void Linear::backward(Backend& backend, ParameterStore& store, ConstOperand x, ConstOperand dy,
                      FloatMatrix dx) const {
    backend.linear_backward_weight(dy, x, FloatMatrix(store.gradients.data() + weight_, out_, in_));
    if (dx.data != nullptr) backend.linear_backward_input(dy, weight(store), dx);
}

}  // namespace vae_dist
