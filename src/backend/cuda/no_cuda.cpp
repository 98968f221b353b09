#include "backend/cuda/cuda.hpp"
#include "vae_dist/backend/devices.hpp"
#include "vae_dist/core/error.hpp"

namespace vae_dist {

bool cuda_built_in() {
    return false;
}

std::string cuda_version() {
    return "";
}

Devices find_devices() {
    return {.all = {}, .why_none = "this build has no CUDA; cmake --preset cuda makes one that has"};
}

std::unique_ptr<Backend> make_cuda_backend(int) {
    throw_input_error(
        "compute.backend is cuda, but this build has no CUDA; build it with cmake --preset cuda, or set "
        "compute.backend to auto or cpu");
}

}  // namespace vae_dist
