#include "backend/cpu/cpu_backend.hpp"

#include <fmt/format.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "vae_dist/core/error.hpp"
#include "vae_dist/core/text.hpp"

namespace vae_dist {

CpuBackend::CpuBackend(std::unique_ptr<MatrixProducts> products, Threads threads)
    : products_(std::move(products)), threads_(threads) {}

std::string CpuBackend::description() const {
    return fmt::format("CPU, {}, {} thread{}", products_->description(), threads_.count(),
                       threads_.count() == 1 ? "" : "s");
}

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

Buffer CpuBackend::allocate(std::size_t bytes) {
    return allocate_memory(bytes);
}

void CpuBackend::for_each(std::int64_t count, const std::function<void(std::int64_t)>& body) {
    threads_.each(count, body);
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

std::int64_t rows_a_piece(std::int64_t rows) {
    // Of products of transposed factors, pieces of 128 to 512 rows take as long as the whole.
    constexpr std::int64_t kLeast = 128;
    constexpr std::int64_t kMost = 512;
    return std::clamp((rows / 8 + kLeast - 1) / kLeast * kLeast, kLeast, kMost);
}

std::unique_ptr<Backend> make_cpu_backend(const ComputeConfig& compute) {
    const Threads threads(compute.threads);
    auto products = make_onednn_products(threads);
    if (products == nullptr) products = make_eigen_products(threads);
    return std::make_unique<CpuBackend>(std::move(products), threads);
}

}  // namespace vae_dist
