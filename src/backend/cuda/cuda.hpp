#pragma once

#include <memory>

#include "vae_dist/backend/backend.hpp"

namespace vae_dist {

/// The backend for NVIDIA GPUs, on that number of find_devices(). Throws an input error where the build has
/// no CUDA, or the machine no such device.
std::unique_ptr<Backend> make_cuda_backend(int device);

}  // namespace vae_dist
