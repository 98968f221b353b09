#include "comm/failure_detector/monitored_communicator.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <vector>

#include "vae_dist/comm/self_communicator.hpp"
#include "vae_dist/core/error.hpp"

namespace vae_dist {
namespace {

TEST(MonitoredCommunicator, CountsEachCall) {
    SelfCommunicator inner;
    ActivityRecord record;
    MonitoredCommunicator communicator(inner, record);
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
        EXPECT_EQ(record.state().calls_begun, made);
        EXPECT_EQ(record.state().calls_ended, made);
    }
    communicator.set_activity("reading data");
    EXPECT_EQ(record.state().activity, "reading data");
    EXPECT_EQ(record.state().calls_begun, made);
}

/// Messages that check the record of the wait in which they are, and fail.
class FailingMessages final : public Messages {
 public:
    explicit FailingMessages(const ActivityRecord& record) : record_(record) {}
    void send(std::span<const std::byte>, int) override {}
    std::size_t receive(std::span<std::byte>, int) override { return 7; }
    void progress() override {}
    bool has_received(std::size_t n) override { return n == 0; }
    std::size_t received(std::size_t n) const override { return n + 5; }
    void wait_for(std::size_t) override { fail(); }
    void wait_all() override { fail(); }

 private:
    void fail() const {
        EXPECT_TRUE(record_.state().in_wait());
        throw_failure("made to fail");
    }
    const ActivityRecord& record_;
};

/// A communicator that checks the record of the call in which it is, and fails.
class FailingCommunicator final : public Communicator {
 public:
    explicit FailingCommunicator(const ActivityRecord& record) : record_(record) {}
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
        EXPECT_TRUE(record_.state().in_call());
        throw_failure("made to fail");
    }
    void wait_until(const std::function<bool()>&) override {
        EXPECT_TRUE(record_.state().in_wait());
        throw_failure("made to fail");
    }
    std::unique_ptr<Messages> make_messages() override { return std::make_unique<FailingMessages>(record_); }
    void abort(int) noexcept override {}

 private:
    const ActivityRecord& record_;
};

TEST(MonitoredCommunicator, IsInACallUntilThatEndsThoughByAnException) {
    ActivityRecord record;
    FailingCommunicator inner(record);
    MonitoredCommunicator communicator(inner, record);
    EXPECT_EQ(communicator.rank(), 3);
    EXPECT_EQ(communicator.size(), 5);
    EXPECT_EQ(communicator.name(), "failing");
    EXPECT_THROW(communicator.barrier(), Error);
    EXPECT_FALSE(record.state().in_call());
    EXPECT_EQ(record.state().calls_begun, 1U);
}

// Ranks make different numbers of waits: counted as calls, they would make ranks seem late.
TEST(MonitoredCommunicator, CountsAWaitThatIsNoCallUntilItEndsThoughByAnException) {
    ActivityRecord record;
    FailingCommunicator inner(record);
    MonitoredCommunicator communicator(inner, record);
    EXPECT_THROW(communicator.wait_until([] { return false; }), Error);
    const auto messages = communicator.make_messages();
    EXPECT_EQ(record.state().calls_begun, 1U);
    EXPECT_THROW(messages->wait_for(1), Error);
    EXPECT_THROW(messages->wait_all(), Error);
    EXPECT_FALSE(record.state().is_waiting());
    EXPECT_EQ(record.state().waits_ended(), 3U);
    EXPECT_EQ(record.state().calls_begun, 1U);
}

TEST(MonitoredCommunicator, CountsNoWaitWhereThereIsNone) {
    ActivityRecord record;
    FailingCommunicator inner(record);
    MonitoredCommunicator communicator(inner, record);
    communicator.wait_until([] { return true; });
    const auto messages = communicator.make_messages();
    messages->wait_for(0);
    messages->progress();
    EXPECT_EQ(messages->receive({}, 1), 7U);
    EXPECT_EQ(messages->received(2), 7U);
    EXPECT_EQ(record.state().wait_changes, 0U);
}

}  // namespace
}  // namespace vae_dist
