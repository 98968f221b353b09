#pragma once

#include "vae_dist/config/config.hpp"

namespace vae_dist {

/// True if the activation's derivative needs its argument (gelu, silu), not only its value.
constexpr bool keeps_preactivation(Activation activation) {
    return activation == Activation::gelu || activation == Activation::silu;
}

}  // namespace vae_dist
