#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "cuda_runtime.h"
#include "work.hpp"

namespace cuda_stand_in {

/// A kernel and all that it is called with.
struct KernelCall {
    const void* function = nullptr;
    RunThread run = nullptr;
    dim3 grid, block;
    std::vector<std::byte> argument;
};
void run_kernel(const KernelCall& call);

/// What goes into a stream: work of whatever kind, or a kernel, of which a graph may change the argument.
struct Request {
    std::function<void()> work = nullptr;
    std::shared_ptr<const KernelCall> kernel = nullptr;  ///< instead of work
    /// Instead of both: makes attempts at work that waits for other ranks (Task::work).
    std::function<std::function<bool()>()> start_collective = nullptr;
    bool never_ends = false;
};
cudaError_t enqueue(cudaStream_t stream, Request request);

/// Streams whose work becomes a graph instead of being done.
struct Capture {
    std::unique_ptr<CUgraph_st> graph;
    CUstream_st* origin = nullptr;
    int number = 0;  ///< of this process's captures, from 1
    std::set<CUstream_st*> streams;
};

/// The number of the capture that it is part of; 0 where it is part of none.
int capture_of(cudaStream_t stream);

/// Notes the error for cudaGetLastError.
cudaError_t result(cudaError_t error);

}  // namespace cuda_stand_in

struct CUgraphNode_st {
    cuda_stand_in::Request request;
    std::vector<CUgraphNode_st*> after;
};

struct CUgraph_st {
    std::vector<std::unique_ptr<CUgraphNode_st>> nodes;  ///< each after those that it comes after
    std::shared_ptr<bool> alive = std::make_shared<bool>(true);
};

struct CUgraphExec_st {
    struct Node {
        cuda_stand_in::Request request;
        std::vector<std::size_t> after;
    };
    std::vector<Node> nodes;
    std::map<const CUgraphNode_st*, std::size_t> index;  ///< by the node of the graph it was made of
    std::weak_ptr<bool> source;                          ///< that graph
};

struct CUstream_st {
    cuda_stand_in::TaskPtr last;
    std::shared_ptr<cuda_stand_in::Capture> capture;
    std::vector<CUgraphNode_st*> front;  ///< of the capture: what comes next comes after these
};

struct CUevent_st {
    cuda_stand_in::TaskPtr recorded;
    int queries = 0;
    std::shared_ptr<cuda_stand_in::Capture> capture;
    std::vector<CUgraphNode_st*> front;
};
