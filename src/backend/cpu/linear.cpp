#include <algorithm>

#include "backend/cpu/activations.hpp"
#include "backend/cpu/cpu_backend.hpp"

namespace vae_dist {

namespace {

// to (B, D) = f(from (B, D) + bias (D)), which may be one matrix.
template <class F>
void map_with_bias(ConstFloatMatrix from, const float* bias, FloatMatrix to, F f) {
    for (std::int64_t r = 0; r < to.rows; ++r) {
        map_array(
            to.columns, to.row(r), [&](const Block& a, const Block& b) { return f(a + b); }, from.row(r),
            bias);
    }
}

}  // namespace

void CpuBackend::linear(ConstFloatMatrix x, ConstFloatMatrix weight, const float* bias,
                        const Activation* activation, FloatMatrix before, FloatMatrix y) {
    const auto same = [](const Block& a) -> Block { return a; };
    products_->multiply({x}, {weight, true}, y);
    if (activation == nullptr) return map_with_bias(y, bias, y, same);
    with_activation(*activation, [&](auto f) {
        if (keeps_preactivation(*activation)) {
            map_with_bias(y, bias, before, same);
            map_matrix(y, f.value, before);
        } else {
            map_with_bias(y, bias, y, f.value);
        }
    });
}

void CpuBackend::linear_backward_input(ConstFloatMatrix dy, ConstFloatMatrix weight, FloatMatrix dx) {
    products_->multiply({dy}, {weight}, dx);
}

void CpuBackend::linear_backward_weight(ConstFloatMatrix dy, ConstFloatMatrix x, FloatMatrix dweight,
                                        float* dbias) {
    products_->multiply({dy, true}, {x}, dweight);
    std::fill_n(dbias, dy.columns, 0.0F);
    const auto plus = [](const Block& a, const Block& b) -> Block { return a + b; };
    for (std::int64_t r = 0; r < dy.rows; ++r)
        map_array(dy.columns, dbias, plus, dbias, dy.row(r));
}

void CpuBackend::activation_backward(Activation activation, ConstFloatMatrix before, ConstFloatMatrix y,
                                     FloatMatrix dy) {
    with_activation(activation, [&](auto f) {
        // Where the derivative does not need it, `before` may be no matrix at all.
        const ConstFloatMatrix argument = keeps_preactivation(activation) ? before : y;
        map_matrix(
            dy,
            [&](const Block& d, const Block& a, const Block& b) -> Block { return d * f.derivative(a, b); },
            dy, argument, y);
    });
}

}  // namespace vae_dist
