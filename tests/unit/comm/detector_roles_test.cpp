#include <gtest/gtest.h>
#include <sys/socket.h>

#include <atomic>
#include <optional>
#include <thread>

#include "captured_output.hpp"
#include "comm/failure_detector/roles.hpp"
#include "comm/failure_detector/run_role.hpp"
#include "vae_dist/core/error.hpp"

namespace vae_dist {
namespace {

using namespace std::chrono_literals;
using Kind = DetectorMessage::Kind;

/// Two ends of a connection.
struct Ends {
    Ends() {
        int descriptors[2];
        EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, descriptors), 0);
        ours = Socket(descriptors[0]);
        theirs.emplace(Socket(descriptors[1]));
    }
    Socket ours;
    std::optional<MessageConnection> theirs;  ///< the test's
};

/// What a role needs, and the result of its run.
struct RoleContext {
    explicit RoleContext(int rank) : log(rank) {}

    DetectorSetup setup(GroupView::Limits limits = {60s, 600s, 5s}) {
        return {record, log, 20ms, limits, [this](int status) { ended_with = status; }};
    }

    CapturedOutput output;
    Log log;
    ActivityRecord record;
    StopEvent stop;
    std::atomic<int> ended_with = -1;
};

/// The next message that is no heartbeat; nullopt where the peer has closed the connection.
std::optional<DetectorMessage> last_message(MessageConnection& connection) {
    for (;;) {
        for (const DetectorMessage& message : connection.receive()) {
            if (message.kind != Kind::heartbeat) return message;
        }
        if (!connection.is_open()) return std::nullopt;
        std::vector<pollfd> waiting = {{connection.descriptor(), POLLIN, 0}};
        wait_for_any(waiting, 1s);
    }
}

class Coordinator : public testing::Test {
 protected:
    void start(GroupView::Limits limits = {60s, 600s, 5s}) {
        std::map<int, MessageConnection> connections;
        connections.emplace(1, std::move(one_.ours));
        connections.emplace(2, std::move(two_.ours));
        DetectorCoordinator coordinator(context_.setup(limits), std::move(connections),
                                        {{0, "h0"}, {1, "h1"}, {2, "h2"}}, {});
        thread_ = std::jthread([this, role = std::move(coordinator)]() mutable { role.run(context_.stop); });
    }

    /// The last message that a rank receives.
    std::optional<DetectorMessage> end(MessageConnection& connection) {
        const auto last = last_message(connection);
        connection.close();
        return last;
    }

    Ends one_;
    Ends two_;
    RoleContext context_{0};
    std::jthread thread_;
};

TEST_F(Coordinator, NamesARankThatEndsWithoutALeaveMessageAndEndsAll) {
    start();
    two_.theirs->send({Kind::heartbeat, {7, 7, "reading data"}});
    two_.theirs->close();
    const auto last = end(*one_.theirs);
    thread_.join();
    ASSERT_TRUE(last.has_value());
    EXPECT_EQ(last->kind, Kind::abort);
    EXPECT_EQ(last->exit_status, 1);
    EXPECT_EQ(context_.ended_with, 1);
    EXPECT_EQ(context_.output.text(),
              "vae_dist: error: rank 2 (host h2) has died; it was last in 'reading data'\n");
}

TEST_F(Coordinator, DoesNotReportARankThatLeaves) {
    start();
    two_.theirs->send({Kind::leave, {}});
    EXPECT_FALSE(last_message(*two_.theirs).has_value());  // the message has been received
    two_.theirs->close();
    context_.stop.set();
    const auto last = end(*one_.theirs);
    thread_.join();
    ASSERT_TRUE(last.has_value());
    EXPECT_EQ(last->kind, Kind::leave);
    EXPECT_EQ(context_.ended_with, -1);
    EXPECT_EQ(context_.output.text(), "");
}

TEST_F(Coordinator, DoesNotTakeWrongBytesForADeath) {
    const std::vector<std::byte> nonsense(3 * kMessageBytes, std::byte{0xff});
    const Socket sender(dup(one_.theirs->descriptor()));
    ASSERT_EQ(send_some(sender, nonsense).bytes, nonsense.size());
    start();
    two_.theirs->close();
    thread_.join();
    EXPECT_EQ(context_.output.text(), "vae_dist: error: rank 2 (host h2) has died\n");
}

TEST_F(Coordinator, GivesUpAtTheLimitAndEndsAll) {
    context_.record.begin_call();
    one_.theirs->send({Kind::heartbeat, {1, 0, ""}});
    start({100ms, 200ms, 60s});
    const auto last_of_one = end(*one_.theirs);
    const auto last_of_two = end(*two_.theirs);
    thread_.join();
    ASSERT_TRUE(last_of_one && last_of_two);
    EXPECT_EQ(last_of_one->kind, Kind::abort);
    EXPECT_EQ(last_of_two->kind, Kind::abort);
    EXPECT_EQ(context_.ended_with, 1);
    const std::string text = context_.output.text();
    const std::size_t error = text.find("vae_dist: error: waiting for ");
    ASSERT_NE(error, std::string::npos) << text;
    EXPECT_NE(text.find(" for rank 2 (host h2, ", error), std::string::npos) << text;
}

TEST_F(Coordinator, LetsTheOthersGoOnWhereItLeaves) {
    std::map<int, MessageConnection> connections;
    connections.emplace(1, std::move(one_.ours));
    DetectorCoordinator coordinator(context_.setup(), std::move(connections), {{0, "h0"}, {1, "h1"}}, {});
    thread_ = std::jthread([&] { coordinator.leave(); });
    const auto last = end(*one_.theirs);
    thread_.join();
    ASSERT_TRUE(last.has_value());
    EXPECT_EQ(last->kind, Kind::leave);
    EXPECT_EQ(context_.ended_with, -1);
}

TEST_F(Coordinator, LeavesSoonThoughNoRankAnswers) {
    start();
    const auto begin = std::chrono::steady_clock::now();
    context_.stop.set();
    thread_.join();
    EXPECT_LT(std::chrono::steady_clock::now() - begin, 20s);
    EXPECT_EQ(context_.ended_with, -1);
}

class Member : public testing::Test {
 protected:
    void start(ReportPriority priority, GroupView::Limits limits = {60s, 600s, 5s}) {
        DetectorMember member(context_.setup(limits), 1, MessageConnection(std::move(ends_.ours)), "h0",
                              priority);
        thread_ = std::jthread([this, role = std::move(member)]() mutable { role.run(context_.stop); });
    }

    Ends ends_;
    RoleContext context_{1};
    std::jthread thread_;
};

TEST_F(Member, EndsWithTheStatusOfTheMessage) {
    start(ReportPriority::first);
    ends_.theirs->send({Kind::abort, {}, 1});
    thread_.join();
    EXPECT_EQ(context_.ended_with, 1);
    EXPECT_EQ(context_.output.text(), "");
}

TEST_F(Member, GoesOnWhereRankZeroLeaves) {
    start(ReportPriority::first);
    ends_.theirs->send({Kind::leave, {}});
    thread_.join();
    EXPECT_EQ(context_.ended_with, -1);
    EXPECT_EQ(context_.output.text(), "");
}

TEST_F(Member, ReportsFirstThatRankZeroHasDied) {
    start(ReportPriority::first);
    ends_.theirs->send({Kind::heartbeat, {7, 7, "validation"}});
    ends_.theirs->close();
    thread_.join();
    EXPECT_EQ(context_.ended_with, 1);
    EXPECT_EQ(context_.output.text(),
              "vae_dist: error: rank 1: rank 0 (host h0) has died; it was last in 'validation'\n");
}

TEST_F(Member, ReportsItSecond) {
    start(ReportPriority::second);
    ends_.theirs->close();
    thread_.join();
    EXPECT_EQ(context_.ended_with, 1);
    EXPECT_EQ(context_.output.text(), "vae_dist: error: rank 1: rank 0 (host h0) has died\n");
}

TEST_F(Member, EndsWithoutAReportWhereRankZeroHasDiedAndOthersReport) {
    start(ReportPriority::none);
    ends_.theirs->close();
    thread_.join();
    EXPECT_EQ(context_.ended_with, 1);
    EXPECT_EQ(context_.output.text(), "");
}

TEST_F(Member, WarnsFirstOfASilentRankZeroAndEndsAtTheLimit) {
    start(ReportPriority::first, {50ms, 400ms, 10ms});
    context_.record.begin_call();
    thread_.join();
    EXPECT_EQ(context_.ended_with, 1);
    const std::string text = context_.output.text();
    const std::size_t error = text.find("vae_dist: error: rank 1: waiting for ");
    ASSERT_NE(error, std::string::npos) << text;
    EXPECT_NE(text.find(" for rank 0 (host h0, silent for ", error), std::string::npos) << text;
    EXPECT_EQ(last_message(*ends_.theirs)->kind, Kind::leave);
}

TEST_F(Member, ReportsNothingOfASilentRankZeroThatItDoesNotWaitFor) {
    start(ReportPriority::first, {1ms, 1ms, 1ms});
    for (int received = 0; received < 10;) {  // it has checked the view so often
        received += static_cast<int>(ends_.theirs->receive().size());
        std::vector<pollfd> waiting = {{ends_.theirs->descriptor(), POLLIN, 0}};
        wait_for_any(waiting, 1s);
    }
    EXPECT_EQ(context_.ended_with, -1);
    EXPECT_EQ(context_.output.text(), "");
    ends_.theirs->send({Kind::leave, {}});
}

/// Fails, once or twice.
struct FailingRole {
    void run(const StopEvent&) { throw_failure("no memory"); }
    void leave() {
        has_left = true;
        if (fails_again) throw_failure("no network");
    }
    bool fails_again = false;
    bool has_left = false;
};

TEST(RunRole, LeavesWhereTheRoleFails) {
    RoleContext context(2);
    FailingRole role;
    run_role(role, context.stop, context.setup());
    EXPECT_TRUE(role.has_left);
    EXPECT_EQ(context.ended_with, -1);
    EXPECT_EQ(context.output.text(),
              "vae_dist: warning: rank 2: this rank is no longer monitored for failures: no memory\n");
}

TEST(RunRole, EndsTheProcessWhereItCannotLeave) {
    RoleContext context(2);
    FailingRole role{.fails_again = true};
    run_role(role, context.stop, context.setup());
    EXPECT_EQ(context.ended_with, 1);
    EXPECT_NE(context.output.text().find("error: rank 2: the detection of failed ranks failed: no network\n"),
              std::string::npos);
}

}  // namespace
}  // namespace vae_dist
