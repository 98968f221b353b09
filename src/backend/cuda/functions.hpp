#pragma once

#include <cmath>

namespace vae_dist {

// Functions of one number, for kernels. What is not a number stays so: neither fmaxf nor fminf is used.

/// max(x, 0).
__device__ inline float positive_part(float x) {
    return x < 0 ? 0.0F : x;
}

__device__ inline float logistic(float x) {
    const float small = expf(-fabsf(x));
    const float rest = 1 / (1 + small);
    return x > 0 ? rest : small * rest;
}

__device__ inline float softplus_of(float x) {
    return positive_part(x) + log1pf(expf(-fabsf(x)));
}

}  // namespace vae_dist
