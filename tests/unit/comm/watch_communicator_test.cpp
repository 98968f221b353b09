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
        [&] { communicator.make_messages(); },
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

/// Messages that look at what is told of the wait in which they are, and fail.
class FailingMessages final : public Messages {
 public:
    explicit FailingMessages(const Activity& activity) : activity_(activity) {}
    void send(std::span<const std::byte>, int) override {}
    std::size_t receive(std::span<std::byte>, int) override { return 7; }
    void progress() override {}
    bool has_received(std::size_t n) override { return n == 0; }
    std::size_t received(std::size_t n) const override { return n + 5; }
    void wait_for(std::size_t) override { fail(); }
    void wait_all() override { fail(); }

 private:
    void fail() const {
        EXPECT_TRUE(activity_.state().in_wait());
        throw_failure("made to fail");
    }
    const Activity& activity_;
};

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
    void wait_until(const std::function<bool()>&) override {
        EXPECT_TRUE(activity_.state().in_wait());
        throw_failure("made to fail");
    }
    std::unique_ptr<Messages> make_messages() override {
        return std::make_unique<FailingMessages>(activity_);
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

// Ranks make different numbers of waits: counted as calls they would be blamed for it.
TEST(WatchedCommunicator, NotesAWaitThatIsNoCallUntilItEndsThoughByAnException) {
    Activity activity;
    FailingCommunicator inner(activity);
    WatchedCommunicator communicator(inner, activity);
    EXPECT_THROW(communicator.wait_until([] { return false; }), Error);
    const auto messages = communicator.make_messages();
    EXPECT_EQ(activity.state().entered, 1U);
    EXPECT_THROW(messages->wait_for(1), Error);
    EXPECT_THROW(messages->wait_all(), Error);
    EXPECT_FALSE(activity.state().stands());
    EXPECT_EQ(activity.state().waits_ended(), 3U);
    EXPECT_EQ(activity.state().entered, 1U);
}

TEST(WatchedCommunicator, NotesNoWaitWhereThereIsNone) {
    Activity activity;
    FailingCommunicator inner(activity);
    WatchedCommunicator communicator(inner, activity);
    communicator.wait_until([] { return true; });
    const auto messages = communicator.make_messages();
    messages->wait_for(0);
    messages->progress();
    EXPECT_EQ(messages->receive({}, 1), 7U);
    EXPECT_EQ(messages->received(2), 7U);
    EXPECT_EQ(activity.state().waits, 0U);
}

}  // namespace
}  // namespace vae_dist
