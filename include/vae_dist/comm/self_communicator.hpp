#pragma once

#include "vae_dist/comm/communicator.hpp"

namespace vae_dist {

/// The communicator of a single process: every collective is the identity.
class SelfCommunicator final : public Communicator {
 public:
    int rank() const override { return 0; }
    int size() const override { return 1; }
    std::string name() const override { return "self"; }
    void all_reduce_sum(std::span<std::int64_t>) override {}
    void all_reduce_sum(std::span<float>) override {}
    void all_reduce_max(std::span<std::int64_t>) override {}
    void all_reduce_max(std::span<double>) override {}
    std::optional<std::int64_t> all_reduce_max_within(std::int64_t value,
                                                      std::chrono::milliseconds) override {
        return value;
    }
    void broadcast(std::span<std::byte>, int) override {}
    std::vector<std::vector<std::byte>> gather(std::span<const std::byte> bytes, int) override {
        return {std::vector<std::byte>(bytes.begin(), bytes.end())};
    }
    void barrier() override {}
    /// A bug unless `is_so()` is true: there is no other rank to make it true.
    void wait_until(const std::function<bool()>& is_so) override;
    /// Messages of which every use is a bug: there is no other rank.
    std::unique_ptr<Messages> make_messages() override;
    void abort(int) noexcept override {}
};

}  // namespace vae_dist
