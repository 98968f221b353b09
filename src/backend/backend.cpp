#include "vae_dist/backend/backend.hpp"

#include "backend/cpu/cpu_backend.hpp"
#include "backend/cuda/cuda_backend.hpp"

namespace vae_dist {

bool keeps_preactivation(Activation activation) {
    return activation == Activation::gelu || activation == Activation::silu;
}

std::unique_ptr<Backend> make_backend(const ComputeConfig& compute) {
    if (compute.backend == BackendKind::cuda) return make_cuda_backend(compute);
    return make_cpu_backend(compute);
}

}  // namespace vae_dist
