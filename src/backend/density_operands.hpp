#pragma once

#include "vae_dist/backend/backend.hpp"

namespace vae_dist {

/// What a density works on, of K adjacent draws for each of B samples with D features.
struct DensityOperands {
    ConstFloatMatrix output;           ///< (B K, H D), the decoder's
    ConstFloatMatrix x;                ///< (B, D)
    const float* shared = nullptr;     ///< (D), the last parameter, where it is one row
    const float* weights = nullptr;    ///< (B K); none without a gradient
    float* log_likelihood = nullptr;   ///< (B K)
    Operand gradient = {};             ///< (B K, H D), may be `output` itself; empty: no gradients
    float* shared_gradient = nullptr;  ///< (D)
};

inline DensityOperands operands_of(const Density& op, const Arguments& with) {
    return {.output = with.inputs[0].floats(),
            .x = with.inputs[1].floats(),
            .shared = op.density.shared ? with.inputs[2].floats().data : nullptr,
            .log_likelihood = with.outputs[0].floats().data};
}

inline DensityOperands operands_of(const DensityGradient& op, const Arguments& with) {
    DensityOperands operands = operands_of(Density{op.density}, with);
    operands.weights = with.inputs[op.density.shared ? 3 : 2].floats().data;
    operands.gradient = with.outputs[1];
    operands.shared_gradient = op.density.shared ? with.outputs[2].floats().data : nullptr;
    return operands;
}

}  // namespace vae_dist
