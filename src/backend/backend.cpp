#include "vae_dist/backend/backend.hpp"

#include "backend/cpu/cpu_backend.hpp"
#include "backend/cuda/cuda.hpp"

namespace vae_dist {

std::unique_ptr<Backend> make_backend(const ComputeConfig& compute, int device) {
    if (compute.backend == BackendKind::cuda) return make_cuda_backend(device);
    return make_cpu_backend(compute);
}

}  // namespace vae_dist
