#include <gtest/gtest.h>

#include "comm/watch/view.hpp"

namespace vae_dist {
namespace {

using namespace std::chrono_literals;
using Kind = GroupView::Finding::Kind;

constexpr GroupView::Limits kLimits = {60s, 600s, 5s};

RankState working(std::uint64_t calls, const char* phase = "") {
    return {calls, calls, phase};
}

RankState waiting(std::uint64_t call, const char* phase = "") {
    return {call, call - 1, phase};
}

/// In its wait number `wait`, having made `calls` calls.
RankState waiting_alone(std::uint64_t calls, std::uint64_t wait) {
    return {calls, calls, "", 2 * wait - 1};
}

GroupView three_ranks() {
    return GroupView(0, {{0, "h0"}, {1, "h1"}, {2, "h2"}}, {}, kLimits);
}

/// All ranks say every second how they are; what the view has to say until `end`.
std::vector<GroupView::Finding> listen(GroupView& view, const std::vector<RankState>& states, WatchTime begin,
                                       WatchTime end) {
    std::vector<GroupView::Finding> findings;
    for (WatchTime now = begin; now <= end; now += 1s) {
        for (std::size_t rank = 0; rank < states.size(); ++rank)
            view.heard(static_cast<int>(rank), states[rank], now);
        if (auto finding = view.look(now)) findings.push_back(*finding);
    }
    return findings;
}

TEST(GroupView, NamesWhoHasNotArrivedAndWhatItDoesOnceInAStall) {
    GroupView view = three_ranks();
    const auto findings =
        listen(view, {waiting(8, "a"), waiting(8, "a"), working(7, "reading data")}, 100s, 300s);
    ASSERT_EQ(findings.size(), 1U);
    EXPECT_EQ(findings[0].kind, Kind::stalled);
    EXPECT_EQ(findings[0].message,
              "waiting for 1 min 01 s for rank 2 (host h2, in 'reading data' for 1 min 01 s)");
}

TEST(GroupView, SaysNothingBeforeTheWarningIsDue) {
    GroupView view = three_ranks();
    EXPECT_TRUE(listen(view, {waiting(8), waiting(8), working(7)}, 100s, 160s).empty());
}

TEST(GroupView, SaysNothingWhileNobodyWaits) {
    GroupView view = three_ranks();
    EXPECT_TRUE(listen(view, {working(8), working(8), working(7)}, 0s, 5000s).empty());
}

TEST(GroupView, SaysNothingOfManyShortWaits) {
    GroupView view = three_ranks();
    for (std::uint64_t call = 1; call < 100; ++call) {
        const WatchTime begin = 10s * call;
        EXPECT_TRUE(
            listen(view, {waiting(call), waiting(call), working(call - 1)}, begin, begin + 9s).empty());
    }
}

TEST(GroupView, CountsTheWaitFromWhereTheFirstBeganToWait) {
    GroupView view = three_ranks();
    EXPECT_TRUE(listen(view, {working(7), working(7), working(7)}, 0s, 999s).empty());
    EXPECT_TRUE(listen(view, {waiting(8), working(7), working(7)}, 1000s, 1060s).empty());
    EXPECT_EQ(listen(view, {waiting(8), working(7), working(7)}, 1061s, 1061s).size(), 1U);
}

TEST(GroupView, CountsTheWaitOfARankThatWasSilentFromWhereItIsHeardAgain) {
    GroupView view(0, {{0, "h0"}, {1, "h1"}}, {}, kLimits);
    EXPECT_TRUE(listen(view, {working(7), waiting(8)}, 0s, 10s).empty());
    EXPECT_TRUE(listen(view, {working(7)}, 11s, 99s).empty());
    EXPECT_TRUE(listen(view, {working(7), waiting(8)}, 100s, 160s).empty());
    EXPECT_EQ(listen(view, {working(7), waiting(8)}, 161s, 161s).size(), 1U);
}

TEST(GroupView, DoesNotBlameRanksThatAreACallFurther) {
    GroupView view = three_ranks();  // rank 0 gave away a broadcast, 8, and waits in 9
    const auto findings = listen(view, {waiting(9), waiting(8), working(7, "x")}, 0s, 70s);
    ASSERT_EQ(findings.size(), 1U);
    EXPECT_EQ(findings[0].message.find("rank 0"), std::string::npos);
    EXPECT_EQ(findings[0].message.find("rank 1"), std::string::npos);
    EXPECT_NE(findings[0].message.find("rank 2 (host h2, in 'x'"), std::string::npos);
}

TEST(GroupView, SaysWhereTheRanksGoOnAndWarnsOfTheNextStallAgain) {
    GroupView view = three_ranks();
    EXPECT_EQ(listen(view, {waiting(8), waiting(8), working(7)}, 0s, 100s).size(), 1U);
    const auto after = listen(view, {waiting(9), waiting(9), working(8)}, 101s, 200s);
    ASSERT_EQ(after.size(), 2U);
    EXPECT_EQ(after[0].kind, Kind::goes_on);
    EXPECT_EQ(after[0].message, "the ranks go on after 1 min 41 s");
    EXPECT_EQ(after[1].kind, Kind::stalled);
}

TEST(GroupView, NamesASilentRankAndHowLongItHasBeenSilent) {
    GroupView view = three_ranks();
    EXPECT_TRUE(listen(view, {working(7), working(7), working(7, "reading data")}, 0s, 10s).empty());
    EXPECT_FALSE(view.is_silent(2, 15s));
    EXPECT_TRUE(view.is_silent(2, 16s));
    const auto findings = listen(view, {waiting(8), waiting(8)}, 11s, 80s);
    ASSERT_EQ(findings.size(), 1U);
    EXPECT_EQ(findings[0].message,
              "waiting for 1 min 01 s for rank 2 (host h2, silent for 1 min 02 s, last in 'reading data')");
}

TEST(GroupView, SuspectsASilentRankThatHadArrived) {
    GroupView view = three_ranks();
    EXPECT_TRUE(listen(view, {waiting(8), waiting(8), waiting(8)}, 0s, 10s).empty());
    const auto findings = listen(view, {waiting(8), waiting(8)}, 11s, 80s);
    ASSERT_EQ(findings.size(), 1U);
    EXPECT_NE(findings[0].message.find("rank 2 (host h2, silent for"), std::string::npos);
}

TEST(GroupView, SaysNothingOfASilentRankWhileTheOthersGoOn) {
    GroupView view = three_ranks();
    listen(view, {waiting(8), waiting(8), waiting(8)}, 0s, 10s);  // then its connection alone is lost
    for (std::uint64_t call = 9; call < 100; ++call) {
        const WatchTime begin = 10s * call;
        EXPECT_TRUE(listen(view, {waiting(call), waiting(call)}, begin, begin + 9s).empty());
    }
    EXPECT_TRUE(listen(view, {working(100), working(100)}, 1000s, 2000s).empty());
}

// Rank 0 waits for a message or for shared memory: no call that others take part in, of which ranks make
// different numbers.
TEST(GroupView, NamesWhoIsAtWorkWhereAnotherWaitsForSharedMemoryOrAMessage) {
    GroupView view = three_ranks();
    const auto findings =
        listen(view, {waiting_alone(7, 40), waiting_alone(7, 2), working(7, "reading data")}, 100s, 300s);
    ASSERT_EQ(findings.size(), 1U);
    EXPECT_EQ(findings[0].kind, Kind::stalled);
    EXPECT_EQ(findings[0].message,
              "waiting for 1 min 01 s for rank 2 (host h2, in 'reading data' for 1 min 01 s)");
}

TEST(GroupView, NamesInAWaitEvenWhoIsACallFurther) {
    GroupView view = three_ranks();  // rank 2 has given away a broadcast, 8, and hangs; rank 1 is in it
    const auto findings = listen(view, {waiting_alone(7, 1), waiting(8), working(8, "x")}, 0s, 70s);
    ASSERT_EQ(findings.size(), 1U);
    EXPECT_EQ(findings[0].message.find("rank 0"), std::string::npos);
    EXPECT_EQ(findings[0].message.find("rank 1"), std::string::npos);
    EXPECT_NE(findings[0].message.find("rank 2 (host h2, in 'x'"), std::string::npos);
}

TEST(GroupView, DoesNotBlameARankThatWaitsItselfForNotArrivingInACall) {
    GroupView view = three_ranks();
    const auto findings = listen(view, {waiting(8), waiting_alone(7, 3), working(7, "x")}, 0s, 70s);
    ASSERT_EQ(findings.size(), 1U);
    EXPECT_EQ(findings[0].message.find("rank 1"), std::string::npos) << findings[0].message;
    EXPECT_NE(findings[0].message.find("rank 2 (host h2, in 'x'"), std::string::npos);
}

TEST(GroupView, SaysNothingOfManyShortWaitsForSharedMemory) {
    GroupView view = three_ranks();
    for (std::uint64_t wait = 1; wait < 100; ++wait) {
        const WatchTime begin = 10s * wait;
        const std::vector<RankState> states = {waiting_alone(7, wait), waiting_alone(7, 1), working(7)};
        EXPECT_TRUE(listen(view, states, begin, begin + 9s).empty());
    }
}

TEST(GroupView, GivesUpAWaitAtTheLimit) {
    GroupView view(0, {{0, "h0"}, {1, "h1"}}, {}, {WatchTime::max(), 600s, 5s});
    const auto findings = listen(view, {waiting_alone(7, 1), working(9, "x")}, 0s, 601s);
    ASSERT_EQ(findings.size(), 1U);
    EXPECT_EQ(findings[0].kind, Kind::over_limit);
    EXPECT_NE(findings[0].message.find("for rank 1 (host h1, in 'x'"), std::string::npos);
}

TEST(GroupView, BlamesTheNetworkWhereAllHaveArrived) {
    GroupView view = three_ranks();
    const auto findings = listen(view, {waiting(8), waiting(8), waiting(8)}, 0s, 70s);
    ASSERT_EQ(findings.size(), 1U);
    EXPECT_EQ(
        findings[0].message,
        "all ranks have arrived in a call that has lasted for 1 min 01 s: the network between them may be "
        "down");
}

TEST(GroupView, SuspectsThoseThatAreNotWatchedWhereAllOthersHaveArrived) {
    GroupView view(0, {{0, "h0"}, {1, "h1"}}, {{2, "h2"}}, kLimits);
    const auto findings = listen(view, {waiting(8), waiting(8)}, 0s, 70s);
    ASSERT_EQ(findings.size(), 1U);
    EXPECT_NE(findings[0].message.find("perhaps for rank 2 (host h2), not watched"), std::string::npos);
}

TEST(GroupView, FindsTheLimitExceededEvenIfThereWasNoWarning) {
    GroupView view(0, {{0, "h0"}, {1, "h1"}}, {}, {WatchTime::max(), 600s, 5s});
    const auto findings = listen(view, {waiting(8), working(7, "x")}, 0s, 601s);
    ASSERT_EQ(findings.size(), 1U);
    EXPECT_EQ(findings[0].kind, Kind::over_limit);
    EXPECT_NE(findings[0].message.find("for rank 1 (host h1, in 'x'"), std::string::npos);
}

TEST(GroupView, NamesARankThatHasLeftWhereOthersWaitForIt) {
    GroupView view(0, {{0, "h0"}, {1, "h1"}}, {}, kLimits);
    view.heard_goodbye(1, working(7), 0s);
    const auto findings = listen(view, {waiting(8)}, 0s, 70s);
    ASSERT_EQ(findings.size(), 1U);
    EXPECT_NE(findings[0].message.find("rank 1 (host h1, which has left the watch)"), std::string::npos);
}

TEST(GroupView, ListsEightRanksAtMost) {
    std::map<int, std::string> hosts;
    for (int rank = 0; rank < 20; ++rank)
        hosts.emplace(rank, "h");
    GroupView view(0, hosts, {}, kLimits);
    const auto findings = listen(view, {waiting(1)}, 0s, 70s);
    ASSERT_EQ(findings.size(), 1U);
    EXPECT_NE(findings[0].message.find("rank 8 (host h, silent for 1 min 01 s) and 11 more"),
              std::string::npos)
        << findings[0].message;
}

TEST(GroupView, NamesTheDead) {
    GroupView view = three_ranks();
    EXPECT_EQ(view.death_message({2}), "rank 2 (host h2) has died");
    view.heard(2, working(3, "reading data"), 1s);
    EXPECT_EQ(view.death_message({2}), "rank 2 (host h2) has died; it was last in 'reading data'");
    EXPECT_EQ(view.death_message({1, 2}), "rank 1 (host h1) and rank 2 (host h2) have died");
}

}  // namespace
}  // namespace vae_dist
