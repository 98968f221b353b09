#include "backend/cpu/cpu_backend.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "vae_dist/core/error.hpp"
#include "vae_dist/core/text.hpp"

namespace vae_dist {

CpuBackend::CpuBackend(std::unique_ptr<MatrixProducts> products) : products_(std::move(products)) {}

std::string CpuBackend::description() const {
    return "CPU, " + products_->description();
}

Buffer CpuBackend::allocate(std::size_t bytes) {
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

void CpuBackend::copy_in(void* to, const void* from_host, std::size_t bytes) {
    if (bytes > 0) std::memcpy(to, from_host, bytes);
}

void CpuBackend::copy_out(void* to_host, const void* from, std::size_t bytes) {
    if (bytes > 0) std::memcpy(to_host, from, bytes);
}

void CpuBackend::fill(std::span<float> values, float value) {
    std::ranges::fill(values, value);
}

std::unique_ptr<Backend> make_cpu_backend(const ComputeConfig& compute) {
    auto products = make_onednn_products(compute.threads);
    if (products == nullptr) {
        if (compute.threads > 1) {
            throw_input_error(
                "compute.threads is {}, but more than one thread needs oneDNN, which this build lacks; set "
                "it to 1 and "
                "start more ranks instead, or install libdnnl-dev and build again",
                compute.threads);
        }
        products = make_eigen_products();
    }
    return std::make_unique<CpuBackend>(std::move(products));
}

}  // namespace vae_dist
