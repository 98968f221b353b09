#include "backend/cpu/scratch.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "vae_dist/core/error.hpp"
#include "vae_dist/core/text.hpp"

namespace vae_dist {

Buffer allocate_memory(std::size_t bytes) {
    // Large arrays in large pages, where the system has them: matrix products walk over many pages at a time.
    constexpr std::size_t kLargePage = std::size_t{2} << 20;
    const std::size_t alignment = bytes < kLargePage ? 64 : kLargePage;
    const std::size_t whole = (std::max<std::size_t>(bytes, 1) + alignment - 1) / alignment * alignment;
    void* memory = whole < bytes ? nullptr : std::aligned_alloc(alignment, whole);
    if (memory == nullptr) {
        throw_failure(
            "out of memory: {} more are needed; use more ranks, a smaller train.batch_size or a smaller "
            "model",
            format_bytes(bytes));
    }
    if (alignment == kLargePage) madvise(memory, whole, MADV_HUGEPAGE);  // advice: may fail
    std::memset(memory, 0, whole);
    return {static_cast<std::byte*>(memory), bytes, [](std::byte* data) { std::free(data); }};
}

}  // namespace vae_dist
