#include "backend/cuda/queue.hpp"

#include <thread>

#include "vae_dist/core/error.hpp"

namespace vae_dist {

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

}  // namespace vae_dist
