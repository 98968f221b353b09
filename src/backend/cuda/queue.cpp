#include "backend/cuda/queue.hpp"

#include <algorithm>
#include <cstring>
#include <thread>

#include "vae_dist/core/error.hpp"

namespace vae_dist {

namespace {

constexpr std::size_t kAlignment = 256;
/// Slots that stay where none is in use: as many uploads may be on their way before `upload` waits.
constexpr std::size_t kSlots = 8;
/// Of copies that go through pinned memory.
constexpr std::size_t kPieceBytes = std::size_t{4} << 20;
/// More keys than these are not worth a graph each.
constexpr std::size_t kMostRecordings = 32;

std::size_t aligned(std::size_t bytes) {
    return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

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

Queue::Queue(int device) {
    check_cuda(cudaSetDevice(device), "cudaSetDevice");
    int least = 0;
    int greatest = 0;
    check_cuda(cudaDeviceGetStreamPriorityRange(&least, &greatest), "cudaDeviceGetStreamPriorityRange");
    compute_ = make_stream(least);
    copies_ = make_stream(least);
    communication_ = make_stream(greatest);  // what the other ranks wait for goes first
    forked_ = make_event();
    joined_ = make_event();
}

Queue::~Queue() {
    recordings_.clear();
    for (Slot& slot : slots_)
        release(slot);
}

std::vector<const std::byte*> Queue::upload(std::initializer_list<std::span<const std::byte>> arrays) {
    if (mode_ == Mode::direct) mark_used_slots();
    std::size_t bytes = 0;
    for (const auto& array : arrays)
        bytes += aligned(array.size());
    std::vector<const std::byte*> there(arrays.size(), nullptr);
    if (bytes == 0) return there;
    Slot& slot = free_slot(bytes);
    if (slot.device == nullptr) {
        void* memory = nullptr;
        check_cuda(cudaMalloc(&memory, slot.bytes), "cudaMalloc");
        slot.device = static_cast<std::byte*>(memory);
    }
    std::size_t offset = 0;
    std::size_t i = 0;
    for (const auto& array : arrays) {
        if (!array.empty()) std::memcpy(slot.host + offset, array.data(), array.size());
        there[i++] = slot.device + offset;
        offset += aligned(array.size());
    }
    check_cuda(cudaMemcpyAsync(slot.device, slot.host, bytes, cudaMemcpyHostToDevice, copies_.get()),
               "cudaMemcpyAsync");
    check_cuda(cudaEventRecord(slot.copied.get(), copies_.get()), "cudaEventRecord");
    if (mode_ == Mode::direct) {
        wait_for(slot.copied.get());
    } else {
        before_launch_.push_back(slot.copied.get());
    }
    in_use_.push_back(&slot);
    return there;
}

void Queue::copy_in(std::byte* to, std::span<const std::byte> from) {
    require(mode_ == Mode::direct, "nothing is copied in within what is repeated");
    while (!from.empty()) {
        mark_used_slots();
        const std::size_t bytes = std::min(from.size(), kPieceBytes);
        Slot& slot = free_slot(bytes);
        std::memcpy(slot.host, from.data(), bytes);
        check_cuda(cudaMemcpyAsync(to, slot.host, bytes, cudaMemcpyHostToDevice, stream()),
                   "cudaMemcpyAsync");
        in_use_.push_back(&slot);
        from = from.subspan(bytes);
        to += bytes;
    }
}

// The next piece travels while the one before is copied on.
void Queue::copy_out(std::span<std::byte> to, const std::byte* from) {
    require(mode_ == Mode::direct, "nothing is copied out within what is repeated");
    struct Piece {
        Slot* slot;
        Mark here;
        std::span<std::byte> to;
    };
    std::deque<Piece> pieces;
    const auto finish_first = [&] {
        wait(pieces.front().here);
        const Piece piece = pieces.front();
        std::memcpy(piece.to.data(), piece.slot->host, piece.to.size());
        std::erase(in_use_, piece.slot);
        pieces.pop_front();
    };
    mark_used_slots();
    while (!to.empty()) {
        const std::size_t bytes = std::min(to.size(), kPieceBytes);
        Slot& slot = free_slot(bytes);
        check_cuda(cudaMemcpyAsync(slot.host, from, bytes, cudaMemcpyDeviceToHost, stream()),
                   "cudaMemcpyAsync");
        in_use_.push_back(&slot);
        pieces.push_back({&slot, mark(), to.first(bytes)});
        if (pieces.size() == 2) finish_first();
        to = to.subspan(bytes);
        from += bytes;
    }
    while (!pieces.empty())
        finish_first();
}

Queue::Mark Queue::mark() {
    require(mode_ == Mode::direct, "nothing is marked within what is repeated");
    Event event;
    if (spare_events_.empty()) {
        event = make_event();
    } else {
        event = std::move(spare_events_.back());
        spare_events_.pop_back();
    }
    check_cuda(cudaEventRecord(event.get(), stream()), "cudaEventRecord");
    marks_.emplace(++last_mark_, std::move(event));
    return last_mark_;
}

bool Queue::has_passed(Mark mark) {
    const auto found = marks_.find(mark);
    if (found == marks_.end()) return true;
    const cudaError_t code = cudaEventQuery(found->second.get());
    if (code == cudaErrorNotReady) return false;
    check_cuda(code, "work of the device");
    const auto end = std::next(found);
    for (auto passed = marks_.begin(); passed != end; ++passed)
        spare_events_.push_back(std::move(passed->second));
    marks_.erase(marks_.begin(), end);
    return true;
}

void Queue::wait(Mark mark) {
    const auto passed = [&] { return has_passed(mark); };
    if (waiter_) return waiter_(passed);
    while (!passed())
        std::this_thread::yield();
}

void Queue::communicate(const std::function<void(cudaStream_t)>& queue) {
    other("communicate", nullptr, [&](cudaStream_t stream) {
        check_cuda(cudaEventRecord(forked_.get(), stream), "cudaEventRecord");
        check_cuda(cudaStreamWaitEvent(communication_.get(), forked_.get(), 0), "cudaStreamWaitEvent");
        queue(communication_.get());
    });
}

void Queue::join_communication() {
    other("join communication", nullptr, [&](cudaStream_t) {
        check_cuda(cudaEventRecord(joined_.get(), communication_.get()), "cudaEventRecord");
        wait_for(joined_.get());
    });
}

void Queue::wait_for(cudaEvent_t event) {
    check_cuda(cudaStreamWaitEvent(stream(), event, 0), "cudaStreamWaitEvent");
}

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
    before_launch_.clear();
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
        if (is_to_forget_) forget_graphs();
        throw;
    }
    mode_ = Mode::direct;
    launch(recording);
}

void Queue::forget_graphs() {
    is_to_forget_ = repeats();
    if (!is_to_forget_) recordings_.clear();
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
        const Graph unused(captured);
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
    for (const cudaEvent_t event : before_launch_)
        wait_for(event);
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

// The first free one that is large enough; else one is made, or made larger.
Queue::Slot& Queue::free_slot(std::size_t bytes) {
    Slot* any = nullptr;
    Slot* first_used = nullptr;
    for (Slot& slot : slots_) {
        if (std::ranges::find(in_use_, &slot) != in_use_.end()) continue;
        if (first_used == nullptr || slot.used < first_used->used) first_used = &slot;
        if (!has_passed(slot.used)) continue;
        if (slot.bytes >= bytes) return slot;
        any = &slot;
    }
    if (slots_.size() - in_use_.size() >= kSlots) {
        if (any == nullptr) {
            wait(first_used->used);
            any = first_used;
        }
        if (any->bytes < bytes) allocate(*any, bytes);
        return *any;
    }
    Slot& slot = slots_.emplace_back();
    slot.copied = make_event();
    allocate(slot, bytes);
    return slot;
}

void Queue::allocate(Slot& slot, std::size_t bytes) {
    release(slot);
    slot.host = nullptr;
    slot.device = nullptr;
    slot.bytes = 0;
    const std::size_t whole = aligned(bytes);
    void* memory = nullptr;
    check_cuda(cudaMallocHost(&memory, whole), "cudaMallocHost");
    slot.host = static_cast<std::byte*>(memory);
    slot.bytes = whole;
}

void Queue::release(Slot& slot) const {
    if (slot.host != nullptr) static_cast<void>(cudaFreeHost(slot.host));
    if (slot.device != nullptr) static_cast<void>(cudaFree(slot.device));
}

void Queue::mark_used_slots() {
    if (in_use_.empty()) return;
    const Mark now = mark();
    for (Slot* const slot : in_use_)
        slot->used = now;
    in_use_.clear();
}

}  // namespace vae_dist
