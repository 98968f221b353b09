#include "backend/cpu/cpu_backend.hpp"

#include <algorithm>
#include <cstring>

namespace vae_dist {

CpuBackend::CpuBackend(std::unique_ptr<MatrixProducts> products, Threads threads)
    : products_(std::move(products)), threads_(threads) {}

std::string CpuBackend::description() const {
    return "CPU, " + products_->description();
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

std::unique_ptr<Backend> make_cpu_backend(const ComputeConfig& compute) {
    const Threads threads(compute.threads);
    return std::make_unique<CpuBackend>(make_products(threads), threads);
}

}  // namespace vae_dist
