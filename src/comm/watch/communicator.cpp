#include "comm/watch/communicator.hpp"

#include <utility>

namespace vae_dist {

namespace {

/// A call, from its begin to its end.
class CountedCall {
 public:
    explicit CountedCall(Activity& activity) : activity_(activity) { activity_.enter(); }
    ~CountedCall() { activity_.leave(); }
    CountedCall(const CountedCall&) = delete;
    CountedCall& operator=(const CountedCall&) = delete;

 private:
    Activity& activity_;
};

/// A wait, likewise.
class NotedWait {
 public:
    explicit NotedWait(Activity& activity) : activity_(activity) { activity_.begin_wait(); }
    ~NotedWait() { activity_.end_wait(); }
    NotedWait(const NotedWait&) = delete;
    NotedWait& operator=(const NotedWait&) = delete;

 private:
    Activity& activity_;
};

class WatchedMessages final : public Messages {
 public:
    WatchedMessages(std::unique_ptr<Messages> inner, Activity& activity)
        : inner_(std::move(inner)), activity_(activity) {}

    void send(std::span<const std::byte> bytes, int to) override { inner_->send(bytes, to); }
    std::size_t receive(std::span<std::byte> into, int from) override { return inner_->receive(into, from); }
    void progress() override { inner_->progress(); }
    bool has_received(std::size_t n) override { return inner_->has_received(n); }
    std::size_t received(std::size_t n) const override { return inner_->received(n); }
    void wait_for(std::size_t n) override {
        if (inner_->has_received(n)) return;
        const NotedWait wait(activity_);
        inner_->wait_for(n);
    }
    void wait_all() override {
        const NotedWait wait(activity_);
        inner_->wait_all();
    }

 private:
    std::unique_ptr<Messages> inner_;
    Activity& activity_;
};

}  // namespace

void WatchedCommunicator::all_reduce_sum(std::span<std::int64_t> values) {
    const CountedCall call(activity_);
    inner_.all_reduce_sum(values);
}

void WatchedCommunicator::all_reduce_sum(std::span<float> values) {
    const CountedCall call(activity_);
    inner_.all_reduce_sum(values);
}

void WatchedCommunicator::all_reduce_max(std::span<std::int64_t> values) {
    const CountedCall call(activity_);
    inner_.all_reduce_max(values);
}

void WatchedCommunicator::all_reduce_max(std::span<double> values) {
    const CountedCall call(activity_);
    inner_.all_reduce_max(values);
}

std::optional<std::int64_t> WatchedCommunicator::all_reduce_max_within(std::int64_t value,
                                                                       std::chrono::milliseconds patience) {
    const CountedCall call(activity_);
    return inner_.all_reduce_max_within(value, patience);
}

void WatchedCommunicator::broadcast(std::span<std::byte> bytes, int root) {
    const CountedCall call(activity_);
    inner_.broadcast(bytes, root);
}

std::vector<std::vector<std::byte>> WatchedCommunicator::gather(std::span<const std::byte> bytes, int root) {
    const CountedCall call(activity_);
    return inner_.gather(bytes, root);
}

void WatchedCommunicator::barrier() {
    const CountedCall call(activity_);
    inner_.barrier();
}

void WatchedCommunicator::wait_until(const std::function<bool()>& is_so) {
    if (is_so()) return;
    const NotedWait wait(activity_);
    inner_.wait_until(is_so);
}

std::unique_ptr<Messages> WatchedCommunicator::make_messages() {
    const CountedCall call(activity_);
    return std::make_unique<WatchedMessages>(inner_.make_messages(), activity_);
}

}  // namespace vae_dist
