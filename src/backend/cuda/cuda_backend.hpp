#pragma once

#include <memory>

#include "vae_dist/backend/backend.hpp"

namespace vae_dist {

/// The backend for NVIDIA GPUs. Throws an input error where the build has none.
std::unique_ptr<Backend> make_cuda_backend(const ComputeConfig& compute);

}  // namespace vae_dist
