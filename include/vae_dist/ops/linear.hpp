#pragma once

#include <optional>

#include "vae_dist/ops/differentiation.hpp"
#include "vae_dist/pointwise/activations.hpp"

namespace vae_dist {

/// y (B, O) = f(x (B, I) weight (O, I)^T + bias (1, O)), f the activation or the identity. Inputs x, weight,
/// bias; outputs y and, where the activation's derivative needs it, f's argument (B, O).
struct Linear {
    static constexpr const char* kName = "linear";
    static constexpr OperationRules kRules = {.product_inputs = 0b011, .either_outputs = 0b11};
    std::optional<Activation> activation;

    Shapes shapes(ShapesView inputs) const;
    void differentiate(Differentiation& d) const;
};

/// From dvalue (B, O), the gradient with respect to y = f(before): that with respect to `before`, dy (B, O),
/// and its column sums before rounding, dbias (1, O). Inputs dvalue, y and, where f keeps it, `before`.
struct ActivationGradient {
    static constexpr const char* kName = "activation_gradient";
    static constexpr OperationRules kRules = {
        .either_inputs = 0b110, .either_outputs = 0b01, .alike_input = 1, .in_place_output = 0};
    Activation activation = Activation::relu;

    Shapes shapes(ShapesView inputs) const;
};

/// sums (1, D) of the columns of values (B, D).
struct ColumnSums {
    static constexpr const char* kName = "column_sums";
    static constexpr OperationRules kRules = {.either_inputs = 0b1};

    Shapes shapes(ShapesView inputs) const;
};

/// dweight (O, I) = dy (B, O)^T x (B, I). Inputs dy, x.
struct WeightGradient {
    static constexpr const char* kName = "weight_gradient";
    static constexpr OperationRules kRules = {.product_inputs = 0b11};

    Shapes shapes(ShapesView inputs) const;
};

/// dx (B, I) = dy (B, O) weight (O, I). Inputs dy, weight.
struct InputGradient {
    static constexpr const char* kName = "input_gradient";
    static constexpr OperationRules kRules = {.product_inputs = 0b11};

    Shapes shapes(ShapesView inputs) const;
};

}  // namespace vae_dist
