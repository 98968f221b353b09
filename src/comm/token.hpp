#pragma once

#include <array>
#include <cstddef>

namespace vae_dist {

/// Random bytes by which ranks recognise each other.
using Token = std::array<std::byte, 16>;

Token random_token();

}  // namespace vae_dist
