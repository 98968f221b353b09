#include "streams.hpp"

#include <algorithm>

#include "environment.hpp"
#include "stand_in.hpp"

namespace cuda_stand_in {

namespace {

TaskPtr task_of(const Request& request, std::vector<TaskPtr> after) {
    auto task = std::make_shared<Task>();
    if (request.kernel) {
        task->work = [kernel = request.kernel] {
            run_kernel(*kernel);
            return true;
        };
    } else if (request.start_collective) {
        task->work = request.start_collective();
        task->waits_for_ranks = true;
    } else if (request.work) {
        task->work = [work = request.work] {
            work();
            return true;
        };
    }
    task->after = std::move(after);
    task->never_ends = request.never_ends;
    return task;
}

std::vector<TaskPtr> all_of(std::initializer_list<TaskPtr> tasks) {
    std::vector<TaskPtr> there;
    for (const TaskPtr& task : tasks)
        if (task && !task->done) there.push_back(task);
    return there;
}

}  // namespace

// Not in the order of their numbers: nobody promises that.
void run_kernel(const KernelCall& call) {
    ++done().kernels;
    blockDim = call.block;
    gridDim = call.grid;
    for (unsigned y = call.grid.y; y-- > 0;) {
        for (unsigned x = call.grid.x; x-- > 0;) {
            blockIdx = {x, y, 0};
            for (unsigned thread = call.block.x * call.block.y; thread-- > 0;) {
                threadIdx = {thread % call.block.x, thread / call.block.x, 0};
                call.run(call.function, call.argument.data());
            }
        }
    }
}

int capture_of(cudaStream_t stream) {
    return stream->capture ? stream->capture->number : 0;
}

cudaError_t enqueue(cudaStream_t stream, Request request) {
    if (stream == nullptr) return cudaErrorInvalidResourceHandle;
    if (stream->capture) {
        auto node = std::make_unique<CUgraphNode_st>(CUgraphNode_st{std::move(request), stream->front});
        stream->front = {node.get()};
        stream->capture->graph->nodes.push_back(std::move(node));
        return cudaSuccess;
    }
    stream->last = task_of(request, all_of({stream->last}));
    submit(stream->last);
    return cudaSuccess;
}

cudaError_t launch(const cudaLaunchConfig_t& config, const void* function, RunThread run,
                   const void* argument, std::size_t bytes) {
    if (is_to_fail("cudaLaunchKernelEx")) return result(cudaErrorUnknown);
    const dim3 grid = config.gridDim;
    const dim3 block = config.blockDim;
    const std::size_t threads = std::size_t{block.x} * block.y * block.z;
    constexpr unsigned kMost = 65535;
    if (threads == 0 || threads > 1024 || grid.x == 0 || grid.y == 0 || grid.y > kMost || block.z != 1 ||
        grid.z != 1)
        return result(cudaErrorInvalidConfiguration);
    const auto* const first = static_cast<const std::byte*>(argument);
    auto call = std::make_shared<KernelCall>(KernelCall{function, run, grid, block, {first, first + bytes}});
    return result(enqueue(config.stream, {.kernel = std::move(call)}));
}

}  // namespace cuda_stand_in

using namespace cuda_stand_in;

// --- Streams

cudaError_t cudaStreamCreateWithPriority(cudaStream_t* stream, unsigned flags, int) {
    if (is_to_fail("cudaStreamCreateWithPriority")) return result(cudaErrorUnknown);
    if (flags != cudaStreamNonBlocking) return result(cudaErrorInvalidValue);
    *stream = new CUstream_st();
    ++live().streams;
    return cudaSuccess;
}

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
    if (stream->capture) return result(cudaErrorStreamCaptureUnsupported);
    delete stream;
    --live().streams;
    return cudaSuccess;
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
    if (stream->capture) return result(cudaErrorStreamCaptureUnsupported);
    if (stream->last && !finish(stream->last)) return result(cudaErrorLaunchFailure);
    return cudaSuccess;
}

cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
    if (is_to_fail("cudaStreamWaitEvent")) return result(cudaErrorUnknown);
    if (event->capture) {
        if (!event->capture->graph) return result(cudaErrorCapturedEvent);  // that capture has ended
        if (stream->capture && stream->capture != event->capture)
            return result(cudaErrorStreamCaptureIsolation);
        stream->capture = event->capture;
        stream->capture->streams.insert(stream);
        for (CUgraphNode_st* const node : event->front)
            if (std::ranges::find(stream->front, node) == stream->front.end()) stream->front.push_back(node);
        return cudaSuccess;
    }
    if (stream->capture) return result(cudaErrorStreamCaptureIsolation);
    if (!event->recorded || event->recorded->done) return cudaSuccess;
    stream->last = task_of({}, all_of({stream->last, event->recorded}));
    submit(stream->last);
    return cudaSuccess;
}

// --- Events

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned flags) {
    if (is_to_fail("cudaEventCreateWithFlags")) return result(cudaErrorUnknown);
    if (flags != cudaEventDisableTiming) return result(cudaErrorInvalidValue);
    *event = new CUevent_st();
    ++live().events;
    return cudaSuccess;
}

cudaError_t cudaEventDestroy(cudaEvent_t event) {
    delete event;
    --live().events;
    return cudaSuccess;
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
    if (is_to_fail("cudaEventRecord")) return result(cudaErrorUnknown);
    *event = CUevent_st();
    if (stream->capture) {
        event->capture = stream->capture;
        event->front = stream->front;
    } else {
        event->recorded = stream->last;
    }
    return cudaSuccess;
}

// Says twice that it is not ready before anything is done for it.
cudaError_t cudaEventQuery(cudaEvent_t event) {
    if (is_to_fail("cudaEventQuery")) return result(cudaErrorLaunchFailure);
    if (event->capture) return result(cudaErrorCapturedEvent);
    if (!event->recorded || event->recorded->done) return cudaSuccess;
    constexpr int kQueries = 2;
    if (event->queries++ < kQueries) return cudaErrorNotReady;
    return try_to_finish(event->recorded) ? cudaSuccess : cudaErrorNotReady;
}

// --- Graphs

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode) {
    if (is_to_fail("cudaStreamBeginCapture")) return result(cudaErrorUnknown);
    if (stream->capture) return result(cudaErrorStreamCaptureUnsupported);
    stream->capture = std::make_shared<Capture>();
    stream->capture->graph = std::make_unique<CUgraph_st>();
    stream->capture->origin = stream;
    static int captures = 0;
    stream->capture->number = ++captures;
    stream->capture->streams.insert(stream);
    stream->front.clear();
    return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
    if (!stream->capture || stream->capture->origin != stream) return result(cudaErrorInvalidValue);
    const std::shared_ptr<Capture> capture = stream->capture;
    std::set<const CUgraphNode_st*> joined;
    std::vector<CUgraphNode_st*> open = stream->front;
    while (!open.empty()) {
        const CUgraphNode_st* const node = open.back();
        open.pop_back();
        if (joined.insert(node).second) open.insert(open.end(), node->after.begin(), node->after.end());
    }
    for (CUstream_st* const member : capture->streams) {
        member->capture.reset();
        member->front.clear();
    }
    const bool all = joined.size() == capture->graph->nodes.size() && !is_to_fail("cudaStreamEndCapture");
    *graph = all ? capture->graph.release() : nullptr;
    capture->graph.reset();
    if (!all) return result(cudaErrorStreamCaptureUnjoined);
    ++live().graphs;
    return cudaSuccess;
}

cudaError_t cudaStreamGetCaptureInfo(cudaStream_t stream, cudaStreamCaptureStatus* status,
                                     unsigned long long*, cudaGraph_t*, const cudaGraphNode_t** dependencies,
                                     const cudaGraphEdgeData**, std::size_t* count) {
    *status = stream->capture ? cudaStreamCaptureStatusActive : cudaStreamCaptureStatusNone;
    *dependencies = stream->front.data();
    *count = stream->front.size();
    return cudaSuccess;
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* executable, cudaGraph_t graph, unsigned long long) {
    if (is_to_fail("cudaGraphInstantiate")) return result(cudaErrorMemoryAllocation);
    auto made = std::make_unique<CUgraphExec_st>();
    for (const auto& node : graph->nodes) {
        made->index.emplace(node.get(), made->nodes.size());
        std::vector<std::size_t> after;
        for (const CUgraphNode_st* const before : node->after)
            after.push_back(made->index.at(before));
        made->nodes.push_back({node->request, std::move(after)});
    }
    made->source = graph->alive;
    *executable = made.release();
    ++live().graphs;
    return cudaSuccess;
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t stream) {
    if (is_to_fail("cudaGraphLaunch")) return result(cudaErrorUnknown);
    if (stream->capture) return result(cudaErrorStreamCaptureUnsupported);
    std::vector<TaskPtr> tasks;
    for (const auto& node : executable->nodes) {
        std::vector<TaskPtr> after = all_of({stream->last});
        for (const std::size_t before : node.after)
            after.push_back(tasks[before]);
        tasks.push_back(task_of(node.request, std::move(after)));
    }
    const TaskPtr end = task_of({}, tasks);
    for (const TaskPtr& task : tasks)
        submit(task);
    stream->last = end;
    submit(end);
    ++done().graph_launches;
    return cudaSuccess;
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
    delete graph;
    --live().graphs;
    return cudaSuccess;
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable) {
    delete executable;
    --live().graphs;
    return cudaSuccess;
}

cudaError_t cudaGraphExecKernelNodeSetParams(cudaGraphExec_t executable, cudaGraphNode_t node,
                                             const cudaKernelNodeParams* parameters) {
    if (is_to_fail("cudaGraphExecKernelNodeSetParams")) return result(cudaErrorUnknown);
    const auto found = executable->index.find(node);
    if (executable->source.expired() || found == executable->index.end())
        return result(cudaErrorInvalidValue);
    std::shared_ptr<const KernelCall>& kernel = executable->nodes[found->second].request.kernel;
    if (!kernel || kernel->function != parameters->func) return result(cudaErrorInvalidValue);
    auto changed = std::make_shared<KernelCall>(*kernel);
    changed->grid = parameters->gridDim;
    changed->block = parameters->blockDim;
    std::memcpy(changed->argument.data(), parameters->kernelParams[0], changed->argument.size());
    kernel = std::move(changed);
    return cudaSuccess;
}
