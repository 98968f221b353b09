#include "backend/cuda/cuda_backend.hpp"

#include <cstring>

#include "vae_dist/core/error.hpp"
#include "vae_dist/core/text.hpp"

namespace vae_dist {

CudaBackend::CudaBackend(int device, std::string id, std::string what)
    : id_(std::move(id)), what_(std::move(what)), queue_(device), products_(queue_), scratch_(queue_) {}

std::string CudaBackend::description() const {
    return what_;
}

Buffer CudaBackend::allocate(std::size_t bytes) {
    require(!queue_.repeats(), "memory is allocated before what is repeated");
    auto memory = std::make_shared<Buffer>(allocate_device_memory(bytes));
    std::byte* const data = memory->as<std::byte>();
    check_cuda(cudaMemsetAsync(data, 0, bytes, queue_.stream()), "cudaMemsetAsync");
    // What is recorded may use it.
    return {data, bytes, [this, memory](std::byte*) mutable {
                queue_.lose_memory();
                memory.reset();
            }};
}

Buffer CudaBackend::allocate_pinned(std::size_t bytes) {
    void* memory = nullptr;
    check_cuda(cudaMallocHost(&memory, bytes), "cudaMallocHost");
    std::memset(memory, 0, bytes);
    return {static_cast<std::byte*>(memory), bytes,
            [](std::byte* data) { static_cast<void>(cudaFreeHost(data)); }};
}

void CudaBackend::copy_in(void* to, const void* from_host, std::size_t bytes) {
    queue_.copy_in(static_cast<std::byte*>(to), {static_cast<const std::byte*>(from_host), bytes});
}

void CudaBackend::copy_out(void* to_host, const void* from, std::size_t bytes) {
    queue_.copy_out({static_cast<std::byte*>(to_host), bytes}, static_cast<const std::byte*>(from));
}

void CudaBackend::copy(void* to, const void* from, std::size_t bytes) {
    if (bytes == 0) return;
    queue_.other("copy", to, [&](cudaStream_t stream) {
        check_cuda(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, stream), "cudaMemcpyAsync");
    });
}

void CudaBackend::start_copy_out(void* to_pinned, const void* from, std::size_t bytes) {
    queue_.other("copy out", to_pinned, [&](cudaStream_t stream) {
        check_cuda(cudaMemcpyAsync(to_pinned, from, bytes, cudaMemcpyDeviceToHost, stream),
                   "cudaMemcpyAsync");
    });
}

void CudaBackend::repeatable(std::uint64_t key, const std::function<void()>& body) {
    queue_.repeatable(key, body);
}

void CudaBackend::for_each(std::int64_t count, const std::function<void(std::int64_t)>& body) {
    for (std::int64_t i = 0; i < count; ++i)
        body(i);
}

}  // namespace vae_dist
