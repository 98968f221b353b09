#include <cstring>
#include <utility>

#include "backend/cuda/queue.hpp"
#include "vae_dist/core/error.hpp"

namespace vae_dist {

// What is repeated, as CUDA graphs.

namespace {

/// More keys than these are not worth a graph each.
constexpr std::size_t kMostRecordings = 32;
bool equal(dim3 a, dim3 b) {
    return a.x == b.x && a.y == b.y && a.z == b.z;
}

// The node that was captured last into a stream.
cudaGraphNode_t captured_node(cudaStream_t stream) {
    cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
    const cudaGraphNode_t* nodes = nullptr;
    std::size_t count = 0;
#if CUDART_VERSION >= 13000
    check_cuda(cudaStreamGetCaptureInfo(stream, &status, nullptr, nullptr, &nodes, nullptr, &count),
               "cudaStreamGetCaptureInfo");
#else
    check_cuda(cudaStreamGetCaptureInfo_v2(stream, &status, nullptr, nullptr, &nodes, &count),
               "cudaStreamGetCaptureInfo_v2");
#endif
    require(status == cudaStreamCaptureStatusActive && count == 1, "a captured kernel is a node of a graph");
    return nodes[0];
}

}  // namespace

void Queue::repeatable(std::uint64_t key, const std::function<void()>& body) {
    require(mode_ == Mode::direct, "what is repeated holds nothing else that is repeated");
    const auto found = recordings_.find(key);
    if (found == recordings_.end()) {
        if (recordings_.size() < kMostRecordings) recordings_.try_emplace(key);
        return body();
    }
    mark_used_slots();
    Recording& recording = found->second;
    current_ = &recording;
    next_ = 0;
    last_upload_ = nullptr;
    try {
        if (!recording.executable) {
            record(recording, body);
        } else {
            mode_ = Mode::repeating;
            body();
            require(next_ == recording.steps.size(), "what is repeated asks for as much as the first time");
        }
        require(!is_to_forget_, "no memory goes within what is repeated");
    } catch (...) {
        mode_ = Mode::direct;
        if (std::exchange(is_to_forget_, false)) forget_graphs();
        throw;
    }
    mode_ = Mode::direct;
    launch(recording);
}

void Queue::lose_memory() {
    ++memory_losses_;
    is_to_forget_ = repeats();
    if (!is_to_forget_) forget_graphs();
}

void Queue::record(Recording& recording, const std::function<void()>& body) {
    recording.steps.clear();
    // Relaxed: what is asked meanwhile of streams that aren't captured is meant to happen at once.
    check_cuda(cudaStreamBeginCapture(stream(), cudaStreamCaptureModeRelaxed), "cudaStreamBeginCapture");
    mode_ = Mode::recording;
    cudaGraph_t captured = nullptr;
    try {
        body();
    } catch (...) {
        static_cast<void>(cudaStreamEndCapture(stream(), &captured));
        const CudaGraph unused(captured);
        recording.steps.clear();
        throw;
    }
    check_cuda(cudaStreamEndCapture(stream(), &captured), "cudaStreamEndCapture");
    recording.graph.reset(captured);
    cudaGraphExec_t executable = nullptr;
    check_cuda(cudaGraphInstantiate(&executable, captured, 0), "cudaGraphInstantiate");
    recording.executable.reset(executable);
}

void Queue::launch(Recording& recording) {
    if (last_upload_ != nullptr) wait_for(last_upload_);  // copies are made in one order
    check_cuda(cudaGraphLaunch(recording.executable.get(), stream()), "cudaGraphLaunch");
    ++graph_launches_;
}

void Queue::record_kernel(const void* function, dim3 grid, dim3 block, const void* argument,
                          std::size_t bytes) {
    Step& step = current_->steps.emplace_back();
    step.function = function;
    step.grid = grid;
    step.block = block;
    step.node = captured_node(stream());
    const auto* const first = static_cast<const std::byte*>(argument);
    step.argument.assign(first, first + bytes);
}

void Queue::record_other(const char* what, const void* where) {
    Step& step = current_->steps.emplace_back();
    step.what = what;
    step.where = where;
}

Queue::Step& Queue::next_step() {
    require(next_ < current_->steps.size(), "what is repeated asks for no more than the first time");
    return current_->steps[next_++];
}

void Queue::repeat_kernel(const void* function, dim3 grid, dim3 block, const void* argument,
                          std::size_t bytes) {
    Step& step = next_step();
    require(step.function == function && equal(step.grid, grid) && equal(step.block, block),
            "what is repeated asks for the same kernels of the same shapes");
    if (std::memcmp(step.argument.data(), argument, bytes) == 0) return;
    std::memcpy(step.argument.data(), argument, bytes);
    void* arguments[] = {step.argument.data()};
    cudaKernelNodeParams parameters = {};
    parameters.func = const_cast<void*>(function);
    parameters.gridDim = grid;
    parameters.blockDim = block;
    parameters.kernelParams = arguments;
    check_cuda(cudaGraphExecKernelNodeSetParams(current_->executable.get(), step.node, &parameters),
               "cudaGraphExecKernelNodeSetParams");
}

void Queue::repeat_other(const char* what, const void* where) {
    const Step& step = next_step();
    require(step.function == nullptr && std::strcmp(step.what, what) == 0 && step.where == where,
            "what is repeated asks for the same products and copies");
}

}  // namespace vae_dist
