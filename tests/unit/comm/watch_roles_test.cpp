#include <gtest/gtest.h>
#include <sys/socket.h>

#include <atomic>
#include <optional>
#include <thread>

#include "captured_output.hpp"
#include "comm/watch/roles.hpp"
#include "comm/watch/run_role.hpp"
#include "vae_dist/core/error.hpp"

namespace vae_dist {
namespace {

using namespace std::chrono_literals;
using Kind = WatchMessage::Kind;

/// Two ends of a connection.
struct Ends {
    Ends() {
        int descriptors[2];
        EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, descriptors), 0);
        ours = Socket(descriptors[0]);
        theirs.emplace(Socket(descriptors[1]));
    }
    Socket ours;
    std::optional<Link> theirs;  ///< the test's
};

/// What a role needs, and what became of it.
struct Scene {
    explicit Scene(int rank) : log(rank) {}

    WatchSetup setup(GroupView::Limits limits = {60s, 600s, 5s}) {
        return {activity, log, 20ms, limits, [this](int status) { ended_with = status; }};
    }

    CapturedOutput output;
    Log log;
    Activity activity;
    Alarm leaving;
    std::atomic<int> ended_with = -1;
};

/// The next message that is none of a state; nullopt where the other side has closed.
std::optional<WatchMessage> last_message(Link& link) {
    for (;;) {
        for (const WatchMessage& message : link.receive()) {
            if (message.kind != Kind::state) return message;
        }
        if (!link.is_open()) return std::nullopt;
        std::vector<pollfd> waiting = {{link.descriptor(), POLLIN, 0}};
        wait_for_any(waiting, 1s);
    }
}

class Center : public testing::Test {
 protected:
    void start(GroupView::Limits limits = {60s, 600s, 5s}) {
        std::map<int, Link> links;
        links.emplace(1, std::move(one_.ours));
        links.emplace(2, std::move(two_.ours));
        WatchCenter center(scene_.setup(limits), std::move(links), {{0, "h0"}, {1, "h1"}, {2, "h2"}}, {});
        thread_ = std::jthread([this, role = std::move(center)]() mutable { role.run(scene_.leaving); });
    }

    /// What all that is left have been told, at the end.
    std::optional<WatchMessage> end(Link& link) {
        const auto last = last_message(link);
        link.close();
        return last;
    }

    Ends one_;
    Ends two_;
    Scene scene_{0};
    std::jthread thread_;
};

TEST_F(Center, NamesARankThatEndsWithoutGoodbyeAndEndsAll) {
    start();
    two_.theirs->send({Kind::state, {7, 7, "reading data"}});
    two_.theirs->close();
    const auto told = end(*one_.theirs);
    thread_.join();
    ASSERT_TRUE(told.has_value());
    EXPECT_EQ(told->kind, Kind::end);
    EXPECT_EQ(told->exit_status, 1);
    EXPECT_EQ(scene_.ended_with, 1);
    EXPECT_EQ(scene_.output.text(),
              "vae_dist: error: rank 2 (host h2) has died; it was last in 'reading data'\n");
}

TEST_F(Center, TakesAGoodbyeForNoDeath) {
    start();
    two_.theirs->send({Kind::goodbye, {}});
    EXPECT_FALSE(last_message(*two_.theirs).has_value());  // it has been heard
    two_.theirs->close();
    scene_.leaving.set_off();
    const auto told = end(*one_.theirs);
    thread_.join();
    ASSERT_TRUE(told.has_value());
    EXPECT_EQ(told->kind, Kind::goodbye);
    EXPECT_EQ(scene_.ended_with, -1);
    EXPECT_EQ(scene_.output.text(), "");
}

TEST_F(Center, DoesNotTakeNonsenseForADeath) {
    const std::vector<std::byte> nonsense(3 * kMessageBytes, std::byte{0xff});
    const Socket sender(dup(one_.theirs->descriptor()));
    ASSERT_EQ(send_some(sender, nonsense).bytes, nonsense.size());
    start();
    two_.theirs->close();
    thread_.join();
    EXPECT_EQ(scene_.output.text(), "vae_dist: error: rank 2 (host h2) has died\n");
}

TEST_F(Center, GivesUpAtTheLimitAndEndsAll) {
    scene_.activity.enter();
    one_.theirs->send({Kind::state, {1, 0, ""}});
    start({100ms, 200ms, 60s});
    const auto told_one = end(*one_.theirs);
    const auto told_two = end(*two_.theirs);
    thread_.join();
    ASSERT_TRUE(told_one && told_two);
    EXPECT_EQ(told_one->kind, Kind::end);
    EXPECT_EQ(told_two->kind, Kind::end);
    EXPECT_EQ(scene_.ended_with, 1);
    const std::string text = scene_.output.text();
    const std::size_t error = text.find("vae_dist: error: waiting for ");
    ASSERT_NE(error, std::string::npos) << text;
    EXPECT_NE(text.find(" for rank 2 (host h2, ", error), std::string::npos) << text;
}

TEST_F(Center, LetsTheOthersGoOnWhereItCannot) {
    std::map<int, Link> links;
    links.emplace(1, std::move(one_.ours));
    WatchCenter center(scene_.setup(), std::move(links), {{0, "h0"}, {1, "h1"}}, {});
    thread_ = std::jthread([&] { center.leave(); });
    const auto told = end(*one_.theirs);
    thread_.join();
    ASSERT_TRUE(told.has_value());
    EXPECT_EQ(told->kind, Kind::goodbye);
    EXPECT_EQ(scene_.ended_with, -1);
}

TEST_F(Center, LeavesSoonThoughNobodyAnswers) {
    start();
    const auto begin = std::chrono::steady_clock::now();
    scene_.leaving.set_off();
    thread_.join();
    EXPECT_LT(std::chrono::steady_clock::now() - begin, 20s);
    EXPECT_EQ(scene_.ended_with, -1);
}

class Member : public testing::Test {
 protected:
    void start(WatchTurn turn, GroupView::Limits limits = {60s, 600s, 5s}) {
        WatchMember member(scene_.setup(limits), 1, Link(std::move(ends_.ours)), "h0", turn);
        thread_ = std::jthread([this, role = std::move(member)]() mutable { role.run(scene_.leaving); });
    }

    Ends ends_;
    Scene scene_{1};
    std::jthread thread_;
};

TEST_F(Member, EndsWithTheStatusThatItIsTold) {
    start(WatchTurn::deputy);
    ends_.theirs->send({Kind::end, {}, 1});
    thread_.join();
    EXPECT_EQ(scene_.ended_with, 1);
    EXPECT_EQ(scene_.output.text(), "");
}

TEST_F(Member, GoesOnWithoutAWatchWhereRankZeroLeavesIt) {
    start(WatchTurn::deputy);
    ends_.theirs->send({Kind::goodbye, {}});
    thread_.join();
    EXPECT_EQ(scene_.ended_with, -1);
    EXPECT_EQ(scene_.output.text(), "");
}

TEST_F(Member, AsDeputySaysThatRankZeroHasDied) {
    start(WatchTurn::deputy);
    ends_.theirs->send({Kind::state, {7, 7, "validation"}});
    ends_.theirs->close();
    thread_.join();
    EXPECT_EQ(scene_.ended_with, 1);
    EXPECT_EQ(scene_.output.text(),
              "vae_dist: error: rank 1: rank 0 (host h0) has died; it was last in 'validation'\n");
}

TEST_F(Member, AsReserveSaysSoToo) {
    start(WatchTurn::reserve);
    ends_.theirs->close();
    thread_.join();
    EXPECT_EQ(scene_.ended_with, 1);
    EXPECT_EQ(scene_.output.text(), "vae_dist: error: rank 1: rank 0 (host h0) has died\n");
}

TEST_F(Member, EndsWithoutAWordWhereRankZeroHasDiedAndOthersSpeak) {
    start(WatchTurn::silent);
    ends_.theirs->close();
    thread_.join();
    EXPECT_EQ(scene_.ended_with, 1);
    EXPECT_EQ(scene_.output.text(), "");
}

TEST_F(Member, AsDeputyWarnsOfASilentRankZeroAndGivesItUpAtTheLimit) {
    start(WatchTurn::deputy, {50ms, 400ms, 10ms});
    scene_.activity.enter();
    thread_.join();
    EXPECT_EQ(scene_.ended_with, 1);
    const std::string text = scene_.output.text();
    const std::size_t error = text.find("vae_dist: error: rank 1: waiting for ");
    ASSERT_NE(error, std::string::npos) << text;
    EXPECT_NE(text.find(" for rank 0 (host h0, silent for ", error), std::string::npos) << text;
    EXPECT_EQ(last_message(*ends_.theirs)->kind, Kind::goodbye);
}

TEST_F(Member, DoesNotBlameASilentRankZeroThatItDoesNotWaitFor) {
    start(WatchTurn::deputy, {1ms, 1ms, 1ms});
    for (int heard = 0; heard < 10;) {  // it has had the time to look about so often
        heard += static_cast<int>(ends_.theirs->receive().size());
        std::vector<pollfd> waiting = {{ends_.theirs->descriptor(), POLLIN, 0}};
        wait_for_any(waiting, 1s);
    }
    EXPECT_EQ(scene_.ended_with, -1);
    EXPECT_EQ(scene_.output.text(), "");
    ends_.theirs->send({Kind::goodbye, {}});
}

/// Fails, once or twice.
struct FailingRole {
    void run(const Alarm&) { throw_failure("no memory"); }
    void leave() {
        has_left = true;
        if (fails_again) throw_failure("no network");
    }
    bool fails_again = false;
    bool has_left = false;
};

TEST(RunRole, LeavesTheWatchWhereTheRoleFails) {
    Scene scene(2);
    FailingRole role;
    run_role(role, scene.leaving, scene.setup());
    EXPECT_TRUE(role.has_left);
    EXPECT_EQ(scene.ended_with, -1);
    EXPECT_EQ(scene.output.text(),
              "vae_dist: warning: rank 2: the watch over this rank is given up: no memory\n");
}

TEST(RunRole, EndsTheProcessWhereThatCannotBeTold) {
    Scene scene(2);
    FailingRole role{.fails_again = true};
    run_role(role, scene.leaving, scene.setup());
    EXPECT_EQ(scene.ended_with, 1);
    EXPECT_NE(scene.output.text().find("error: rank 2: the watch over the ranks failed: no network\n"),
              std::string::npos);
}

}  // namespace
}  // namespace vae_dist
