#pragma once

#include <cmath>
#include <numbers>

#include "vae_dist/config/config.hpp"
#include "vae_dist/core/require.hpp"

namespace vae_dist {

// Functions of one number, for kernels. What is not a number stays so: neither fmaxf nor fminf is used.

/// max(x, 0).
__device__ inline float positive_part(float x) {
    return x < 0 ? 0.0F : x;
}
/// min(x, 0).
__device__ inline float negative_part(float x) {
    return x > 0 ? 0.0F : x;
}

__device__ inline float logistic(float x) {
    const float small = expf(-fabsf(x));
    const float rest = 1 / (1 + small);
    return x > 0 ? rest : small * rest;
}

__device__ inline float softplus_of(float x) {
    return positive_part(x) + log1pf(expf(-fabsf(x)));
}

/// The standard normal distribution function.
__device__ inline float normal_distribution(float x) {
    return 0.5F + 0.5F * erff(x * static_cast<float>(1 / std::numbers::sqrt2));
}
__device__ inline float normal_density_of(float x) {
    return static_cast<float>(std::numbers::inv_sqrtpi / std::numbers::sqrt2) * expf(-0.5F * x * x);
}

// Each activation: its value, and its derivative from x (where the derivative needs it) and y = value(x).

struct DeviceRelu {
    __device__ static float value(float x) { return positive_part(x); }
    __device__ static float derivative(float, float y) { return y > 0 ? 1.0F : 0.0F; }
};
struct DeviceTanh {
    __device__ static float value(float x) { return tanhf(x); }
    __device__ static float derivative(float, float y) { return 1 - y * y; }
};
struct DeviceGelu {  // Hendrycks and Gimpel, 2016, in the exact form x Phi(x)
    __device__ static float value(float x) { return x * normal_distribution(x); }
    __device__ static float derivative(float x, float) {
        return normal_distribution(x) + x * normal_density_of(x);
    }
};
struct DeviceSilu {  // x sigmoid(x)
    __device__ static float value(float x) { return x * logistic(x); }
    __device__ static float derivative(float x, float) {
        const float s = logistic(x);
        return s * (1 + x * (1 - s));
    }
};
struct DeviceSoftplus {  // the derivative is sigmoid(x) = 1 - exp(-y)
    __device__ static float value(float x) { return softplus_of(x); }
    __device__ static float derivative(float, float y) { return -expm1f(-y); }
};
struct DeviceElu {  // x above 0, exp(x) - 1 below
    __device__ static float value(float x) { return positive_part(x) + expm1f(negative_part(x)); }
    __device__ static float derivative(float, float y) { return 1 + negative_part(y); }
};

/// Calls `body` with the activation's type from above.
template <class Body>
void with_device_activation(Activation activation, const Body& body) {
    switch (activation) {
        case Activation::relu:
            return body(DeviceRelu());
        case Activation::tanh:
            return body(DeviceTanh());
        case Activation::gelu:
            return body(DeviceGelu());
        case Activation::silu:
            return body(DeviceSilu());
        case Activation::softplus:
            return body(DeviceSoftplus());
        case Activation::elu:
            return body(DeviceElu());
    }
    require(false, "the activation is known");
}

}  // namespace vae_dist
