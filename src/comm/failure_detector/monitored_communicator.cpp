#include "comm/failure_detector/monitored_communicator.hpp"

#include <utility>

namespace vae_dist {

namespace {

/// A call of the communicator while it lasts.
class CallScope {
 public:
    explicit CallScope(ActivityRecord& record) : record_(record) { record_.begin_call(); }
    ~CallScope() { record_.end_call(); }
    CallScope(const CallScope&) = delete;
    CallScope& operator=(const CallScope&) = delete;

 private:
    ActivityRecord& record_;
};

/// A wait while it lasts.
class WaitScope {
 public:
    explicit WaitScope(ActivityRecord& record) : record_(record) { record_.begin_wait(); }
    ~WaitScope() { record_.end_wait(); }
    WaitScope(const WaitScope&) = delete;
    WaitScope& operator=(const WaitScope&) = delete;

 private:
    ActivityRecord& record_;
};

class MonitoredMessages final : public Messages {
 public:
    MonitoredMessages(std::unique_ptr<Messages> inner, ActivityRecord& record)
        : inner_(std::move(inner)), record_(record) {}

    void send(std::span<const std::byte> bytes, int to) override { inner_->send(bytes, to); }
    std::size_t receive(std::span<std::byte> into, int from) override { return inner_->receive(into, from); }
    void progress() override { inner_->progress(); }
    bool has_received(std::size_t n) override { return inner_->has_received(n); }
    std::size_t received(std::size_t n) const override { return inner_->received(n); }
    void wait_for(std::size_t n) override {
        if (inner_->has_received(n)) return;
        const WaitScope wait(record_);
        inner_->wait_for(n);
    }
    void wait_all() override {
        const WaitScope wait(record_);
        inner_->wait_all();
    }

 private:
    std::unique_ptr<Messages> inner_;
    ActivityRecord& record_;
};

}  // namespace

void MonitoredCommunicator::all_reduce_sum(std::span<std::int64_t> values) {
    const CallScope call(record_);
    inner_.all_reduce_sum(values);
}

void MonitoredCommunicator::all_reduce_sum(std::span<float> values) {
    const CallScope call(record_);
    inner_.all_reduce_sum(values);
}

void MonitoredCommunicator::all_reduce_max(std::span<std::int64_t> values) {
    const CallScope call(record_);
    inner_.all_reduce_max(values);
}

void MonitoredCommunicator::all_reduce_max(std::span<double> values) {
    const CallScope call(record_);
    inner_.all_reduce_max(values);
}

std::optional<std::int64_t> MonitoredCommunicator::all_reduce_max_within(std::int64_t value,
                                                                         std::chrono::milliseconds timeout) {
    const CallScope call(record_);
    return inner_.all_reduce_max_within(value, timeout);
}

void MonitoredCommunicator::broadcast(std::span<std::byte> bytes, int root) {
    const CallScope call(record_);
    inner_.broadcast(bytes, root);
}

std::vector<std::vector<std::byte>> MonitoredCommunicator::gather(std::span<const std::byte> bytes,
                                                                  int root) {
    const CallScope call(record_);
    return inner_.gather(bytes, root);
}

void MonitoredCommunicator::barrier() {
    const CallScope call(record_);
    inner_.barrier();
}

void MonitoredCommunicator::wait_until(const std::function<bool()>& is_so) {
    if (is_so()) return;
    const WaitScope wait(record_);
    inner_.wait_until(is_so);
}

std::unique_ptr<Messages> MonitoredCommunicator::make_messages() {
    const CallScope call(record_);
    return std::make_unique<MonitoredMessages>(inner_.make_messages(), record_);
}

}  // namespace vae_dist
