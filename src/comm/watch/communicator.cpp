#include "comm/watch/communicator.hpp"

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

}  // namespace vae_dist
