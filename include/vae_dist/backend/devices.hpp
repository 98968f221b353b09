#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace vae_dist {

/// A GPU that this process may use.
struct Device {
    std::string name;  ///< "NVIDIA H100 80GB HBM3"
    std::string id;  ///< "GPU-...", as nvidia-smi -L prints it: the same device has the same in every process
    std::string capability;  ///< "9.0"
    std::uint64_t bytes = 0;
    bool has_tensor_cores = false;  ///< for TF32 and bfloat16: it serves compute.backend
};

/// The GPUs that this process may use, in CUDA's order.
struct Devices {
    std::vector<Device> all;
    std::string why_none;  ///< where there are none
};

/// Whether this build has CUDA.
bool cuda_built_in();

/// "CUDA 13.0, cuBLASLt 13.0.2, driver for CUDA 13.0"; "" where this build has none.
std::string cuda_version();

/// Asks the driver. Throws nothing: what fails is said in `why_none`.
Devices find_devices();

}  // namespace vae_dist
