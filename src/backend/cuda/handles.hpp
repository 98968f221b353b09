#pragma once

#include <memory>
#include <type_traits>

#include "backend/cuda/check.hpp"

namespace vae_dist {

// Owners of what CUDA hands out. Their ends don't report errors: after a failed call every later one fails
// too, and the first was thrown.

template <class Handle, auto kDestroy>
struct Destroyer {
    using pointer = Handle;
    void operator()(Handle handle) const { static_cast<void>(kDestroy(handle)); }
};
template <class Handle, auto kDestroy>
using Owned = std::unique_ptr<std::remove_pointer_t<Handle>, Destroyer<Handle, kDestroy>>;

using Stream = Owned<cudaStream_t, cudaStreamDestroy>;
using Event = Owned<cudaEvent_t, cudaEventDestroy>;
using CudaGraph = Owned<cudaGraph_t, cudaGraphDestroy>;
using GraphExec = Owned<cudaGraphExec_t, cudaGraphExecDestroy>;

/// A stream that does not wait for the default one; `priority` as cudaDeviceGetStreamPriorityRange has it.
Stream make_stream(int priority);
/// An event that takes no time stamp.
Event make_event();

}  // namespace vae_dist
