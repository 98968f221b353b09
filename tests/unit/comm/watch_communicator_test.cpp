#include <gtest/gtest.h>

#include <functional>
#include <vector>

#include "comm/watch/communicator.hpp"
#include "vae_dist/comm/self_communicator.hpp"
#include "vae_dist/core/error.hpp"

namespace vae_dist {
namespace {

TEST(WatchedCommunicator, CountsEachCall) {
    SelfCommunicator inner;
    Activity activity;
    WatchedCommunicator communicator(inner, activity);
    std::vector<std::int64_t> integers(2);
    std::vector<float> floats(2);
    std::vector<double> doubles(2);
    std::vector<std::byte> bytes(2);
    const std::vector<std::function<void()>> calls = {
        [&] { communicator.all_reduce_sum(std::span(integers)); },
        [&] { communicator.all_reduce_sum(std::span(floats)); },
        [&] { communicator.all_reduce_max(std::span(integers)); },
        [&] { communicator.all_reduce_max(std::span(doubles)); },
        [&] { communicator.all_reduce_max_within(1, std::chrono::milliseconds(1)); },
        [&] { communicator.broadcast(bytes, 0); },
        [&] { communicator.gather(bytes, 0); },
        [&] { communicator.barrier(); },
    };
    std::uint64_t made = 0;
    for (const auto& call : calls) {
        call();
        ++made;
        EXPECT_EQ(activity.state().entered, made);
        EXPECT_EQ(activity.state().left, made);
    }
    communicator.doing("nothing");
    EXPECT_EQ(activity.state().phase, "nothing");
    EXPECT_EQ(activity.state().entered, made);
}

/// Looks at what is told of the call in which it is, and fails.
class FailingCommunicator final : public Communicator {
 public:
    explicit FailingCommunicator(const Activity& activity) : activity_(activity) {}
    int rank() const override { return 3; }
    int size() const override { return 5; }
    std::string name() const override { return "failing"; }
    void all_reduce_sum(std::span<std::int64_t>) override {}
    void all_reduce_sum(std::span<float>) override {}
    void all_reduce_max(std::span<std::int64_t>) override {}
    void all_reduce_max(std::span<double>) override {}
    std::optional<std::int64_t> all_reduce_max_within(std::int64_t, std::chrono::milliseconds) override {
        return std::nullopt;
    }
    void broadcast(std::span<std::byte>, int) override {}
    std::vector<std::vector<std::byte>> gather(std::span<const std::byte>, int) override { return {}; }
    void barrier() override {
        EXPECT_TRUE(activity_.state().in_call());
        throw_failure("made to fail");
    }
    void abort(int) noexcept override {}

 private:
    const Activity& activity_;
};

TEST(WatchedCommunicator, IsInACallUntilThatEndsThoughByAnException) {
    Activity activity;
    FailingCommunicator inner(activity);
    WatchedCommunicator communicator(inner, activity);
    EXPECT_EQ(communicator.rank(), 3);
    EXPECT_EQ(communicator.size(), 5);
    EXPECT_EQ(communicator.name(), "failing");
    EXPECT_THROW(communicator.barrier(), Error);
    EXPECT_FALSE(activity.state().in_call());
    EXPECT_EQ(activity.state().entered, 1U);
}

}  // namespace
}  // namespace vae_dist
