#include "backend/cuda/cuda_backend.hpp"
#include "vae_dist/core/error.hpp"

namespace vae_dist {

std::unique_ptr<Backend> make_cuda_backend(const ComputeConfig&) {
    throw_input_error(
        "compute.backend is cuda, but this build has no CUDA; set compute.backend to auto or cpu");
}

}  // namespace vae_dist
