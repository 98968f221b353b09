#pragma once

#include "comm/watch/state.hpp"
#include "vae_dist/comm/communicator.hpp"

namespace vae_dist {

/// Another communicator, its calls and waits counted in `activity`: those that end by an exception too, for
/// the rank then waits no more. Both outlive it. Waits for shared memory and for messages are noted as waits,
/// not as calls, since ranks make different numbers of them; what needs no wait is noted as nothing.
class WatchedCommunicator final : public Communicator {
 public:
    WatchedCommunicator(Communicator& inner, Activity& activity) : inner_(inner), activity_(activity) {}

    int rank() const override { return inner_.rank(); }
    int size() const override { return inner_.size(); }
    std::string name() const override { return inner_.name(); }

    void all_reduce_sum(std::span<std::int64_t> values) override;
    void all_reduce_sum(std::span<float> values) override;
    void all_reduce_max(std::span<std::int64_t> values) override;
    void all_reduce_max(std::span<double> values) override;
    std::optional<std::int64_t> all_reduce_max_within(std::int64_t value,
                                                      std::chrono::milliseconds patience) override;
    void broadcast(std::span<std::byte> bytes, int root) override;
    std::vector<std::vector<std::byte>> gather(std::span<const std::byte> bytes, int root) override;
    void barrier() override;
    void wait_until(const std::function<bool()>& is_so) override;
    std::unique_ptr<Messages> make_messages() override;

    void doing(const char* what) override { activity_.doing(what); }
    void abort(int exit_status) noexcept override { inner_.abort(exit_status); }

 private:
    Communicator& inner_;
    Activity& activity_;
};

}  // namespace vae_dist
