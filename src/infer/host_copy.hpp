#pragma once

#include <span>
#include <vector>

#include "vae_dist/backend/backend.hpp"

namespace vae_dist {

/// The matrix's rows, without gaps, to host memory of its size.
void copy_to_host(Backend& backend, ConstFloatMatrix from, std::span<float> to);

std::vector<float> to_host(Backend& backend, ConstFloatMatrix matrix);
std::vector<float> to_host(Backend& backend, std::span<const float> values);

}  // namespace vae_dist
