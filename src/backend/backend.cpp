#include "vae_dist/backend/backend.hpp"

#include "backend/cpu/cpu_backend.hpp"
#include "backend/cuda/cuda_backend.hpp"
#include "vae_dist/core/error.hpp"

namespace vae_dist {

std::size_t element_bytes(ElementType type) {
    switch (type) {
        case ElementType::uint8:
        case ElementType::int8:
            return 1;
        case ElementType::uint16:
        case ElementType::int16:
            return 2;
        case ElementType::uint32:
        case ElementType::int32:
        case ElementType::float32:
            return 4;
        case ElementType::uint64:
        case ElementType::int64:
        case ElementType::float64:
            return 8;
    }
    throw Error(ErrorKind::bug, "a bug in vae_dist: unknown element type");
}

const char* element_name(ElementType type) {
    switch (type) {
        case ElementType::uint8:
            return "uint8";
        case ElementType::int8:
            return "int8";
        case ElementType::uint16:
            return "uint16";
        case ElementType::int16:
            return "int16";
        case ElementType::uint32:
            return "uint32";
        case ElementType::int32:
            return "int32";
        case ElementType::uint64:
            return "uint64";
        case ElementType::int64:
            return "int64";
        case ElementType::float32:
            return "float32";
        case ElementType::float64:
            return "float64";
    }
    throw Error(ErrorKind::bug, "a bug in vae_dist: unknown element type");
}

bool keeps_preactivation(Activation activation) {
    return activation == Activation::gelu || activation == Activation::silu;
}

std::unique_ptr<Backend> make_backend(const ComputeConfig& compute) {
    if (compute.backend == BackendKind::cuda) return make_cuda_backend(compute);
    return make_cpu_backend(compute);
}

}  // namespace vae_dist
