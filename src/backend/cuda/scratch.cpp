#include "backend/cuda/scratch.hpp"

#include <algorithm>

#include "backend/cuda/check.hpp"
#include "vae_dist/core/error.hpp"
#include "vae_dist/core/text.hpp"

namespace vae_dist {

Buffer allocate_device_memory(std::size_t bytes) {
    void* memory = nullptr;
    const cudaError_t code = cudaMalloc(&memory, std::max<std::size_t>(bytes, 1));
    if (code == cudaErrorMemoryAllocation) {
        static_cast<void>(cudaGetLastError());  // else the next kernel's launch reports it again
        throw_failure(
            "the GPU is out of memory: {} more are needed; use more ranks, a smaller train.batch_size or a "
            "smaller model",
            format_bytes(bytes));
    }
    check_cuda(code, "cudaMalloc");
    return {static_cast<std::byte*>(memory), bytes,
            [](std::byte* data) { static_cast<void>(cudaFree(data)); }};
}

}  // namespace vae_dist
