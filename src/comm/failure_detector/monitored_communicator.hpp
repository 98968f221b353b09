#pragma once

#include "comm/failure_detector/activity.hpp"
#include "vae_dist/comm/communicator.hpp"

namespace vae_dist {

/// Another communicator with its calls and waits counted in `record`, those that end by an exception
/// included. Both outlive it. Waits for shared memory and for messages count as waits, not as calls, since
/// ranks make different numbers of them. What returns without a wait does not count.
class MonitoredCommunicator final : public Communicator {
 public:
    MonitoredCommunicator(Communicator& inner, ActivityRecord& record) : inner_(inner), record_(record) {}

    int rank() const override { return inner_.rank(); }
    int size() const override { return inner_.size(); }
    std::string name() const override { return inner_.name(); }

    void all_reduce_sum(std::span<std::int64_t> values) override;
    void all_reduce_sum(std::span<float> values) override;
    void all_reduce_max(std::span<std::int64_t> values) override;
    void all_reduce_max(std::span<double> values) override;
    std::optional<std::int64_t> all_reduce_max_within(std::int64_t value,
                                                      std::chrono::milliseconds timeout) override;
    void broadcast(std::span<std::byte> bytes, int root) override;
    std::vector<std::vector<std::byte>> gather(std::span<const std::byte> bytes, int root) override;
    void barrier() override;
    void wait_until(const std::function<bool()>& is_so) override;
    std::unique_ptr<Messages> make_messages() override;

    void set_activity(const char* activity) override { record_.set_activity(activity); }
    void abort(int exit_status) noexcept override { inner_.abort(exit_status); }

 private:
    Communicator& inner_;
    ActivityRecord& record_;
};

}  // namespace vae_dist
