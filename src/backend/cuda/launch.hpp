#pragma once

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include "backend/cuda/queue.hpp"

namespace vae_dist {

// Kernels are function objects, each thread of which works by itself: no shared memory, no barriers, no
// exchange between threads. What a thread does is written once and compiled by nvcc, or by any C++ compiler
// where something else stands in for the runtime.

/// Where a thread is: column group x of row y, in steps of what all threads cover together.
struct GridPlace {
    std::int64_t x, y, y_step;
};

template <class Body>
__global__ void __launch_bounds__(256) run_on_grid(const Body body) {
    const GridPlace place = {static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x,
                             static_cast<std::int64_t>(blockIdx.y) * blockDim.y + threadIdx.y,
                             static_cast<std::int64_t>(gridDim.y) * blockDim.y};
    body(place);
}

/// Calls body(place) for `x` times `y` places. The body leaves out places from x on, and goes from its row y
/// in steps of y_step to the last.
template <class Body>
void run_grid(Queue& queue, std::int64_t x, std::int64_t y, const Body& body) {
    static_assert(std::is_trivially_copyable_v<Body>, "kernels' arguments are copied byte by byte");
    if (x == 0 || y == 0) return;
    constexpr std::int64_t kThreads = 256;
    constexpr std::int64_t kMostBlocks = 65535;  // of a grid's y
    unsigned width = 1;
    while (width < kThreads && width < x)
        width *= 2;
    const dim3 block(width, static_cast<unsigned>(kThreads) / width, 1);
    const auto blocks = [](std::int64_t all, unsigned of_each) {
        return (all + static_cast<std::int64_t>(of_each) - 1) / static_cast<std::int64_t>(of_each);
    };
    const dim3 grid(static_cast<unsigned>(blocks(x, block.x)),
                    static_cast<unsigned>(std::min(blocks(y, block.y), kMostBlocks)), 1);
    void (*const kernel)(Body) = run_on_grid<Body>;
    queue.kernel(reinterpret_cast<const void*>(kernel), grid, block, &body, sizeof(Body),
                 [&](cudaStream_t stream) {
                     cudaLaunchConfig_t config = {};
                     config.gridDim = grid;
                     config.blockDim = block;
                     config.stream = stream;
                     check_cuda(cudaLaunchKernelEx(&config, kernel, body), "a kernel's launch");
                 });
}

/// body(i) for each i below count, by threads of their own.
template <class Body>
struct EachIndex {
    std::int64_t count;
    Body body;
    __device__ void operator()(const GridPlace& place) const {
        if (place.x < count && place.y == 0) body(place.x);
    }
};
template <class Body>
void run_each(Queue& queue, std::int64_t count, const Body& body) {
    run_grid(queue, count, 1, EachIndex<Body>{count, body});
}

}  // namespace vae_dist
