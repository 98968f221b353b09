#include "comm/failure_detector/group_view.hpp"

#include <gtest/gtest.h>

namespace vae_dist {
namespace {

using namespace std::chrono_literals;
using Kind = GroupView::Finding::Kind;

constexpr GroupView::Limits kLimits = {60s, 600s, 5s};

RankState working(std::uint64_t calls, const char* activity = "") {
    return {calls, calls, activity};
}

RankState waiting(std::uint64_t call, const char* activity = "") {
    return {call, call - 1, activity};
}

/// In its wait number `wait`, having made `calls` calls.
RankState waiting_alone(std::uint64_t calls, std::uint64_t wait) {
    return {calls, calls, "", 2 * wait - 1};
}

GroupView three_ranks() {
    return GroupView(0, {{0, "h0"}, {1, "h1"}, {2, "h2"}}, {}, kLimits);
}

/// Records a heartbeat of every rank each second; what the view finds until `end`.
std::vector<GroupView::Finding> findings_of(GroupView& view, const std::vector<RankState>& states,
                                            DetectorTime begin, DetectorTime end) {
    std::vector<GroupView::Finding> findings;
    for (DetectorTime now = begin; now <= end; now += 1s) {
        for (std::size_t rank = 0; rank < states.size(); ++rank)
            view.record(static_cast<int>(rank), states[rank], now);
        if (auto finding = view.check(now)) findings.push_back(*finding);
    }
    return findings;
}

TEST(GroupView, NamesALateRankAndItsActivityOnceInAStall) {
    GroupView view = three_ranks();
    const auto findings =
        findings_of(view, {waiting(8, "a"), waiting(8, "a"), working(7, "reading data")}, 100s, 300s);
    ASSERT_EQ(findings.size(), 1U);
    EXPECT_EQ(findings[0].kind, Kind::stalled);
    EXPECT_EQ(findings[0].message,
              "waiting for 1 min 01 s for rank 2 (host h2, in 'reading data' for 1 min 01 s)");
}

TEST(GroupView, ReportsNothingBeforeTheWarningIsDue) {
    GroupView view = three_ranks();
    EXPECT_TRUE(findings_of(view, {waiting(8), waiting(8), working(7)}, 100s, 160s).empty());
}

TEST(GroupView, ReportsNothingWhileNoRankWaits) {
    GroupView view = three_ranks();
    EXPECT_TRUE(findings_of(view, {working(8), working(8), working(7)}, 0s, 5000s).empty());
}

TEST(GroupView, ReportsNothingOfManyShortWaits) {
    GroupView view = three_ranks();
    for (std::uint64_t call = 1; call < 100; ++call) {
        const DetectorTime begin = 10s * call;
        EXPECT_TRUE(
            findings_of(view, {waiting(call), waiting(call), working(call - 1)}, begin, begin + 9s).empty());
    }
}

TEST(GroupView, CountsTheWaitFromWhereTheFirstBeganToWait) {
    GroupView view = three_ranks();
    EXPECT_TRUE(findings_of(view, {working(7), working(7), working(7)}, 0s, 999s).empty());
    EXPECT_TRUE(findings_of(view, {waiting(8), working(7), working(7)}, 1000s, 1060s).empty());
    EXPECT_EQ(findings_of(view, {waiting(8), working(7), working(7)}, 1061s, 1061s).size(), 1U);
}

TEST(GroupView, CountsTheWaitOfARankThatWasSilentFromItsNextHeartbeat) {
    GroupView view(0, {{0, "h0"}, {1, "h1"}}, {}, kLimits);
    EXPECT_TRUE(findings_of(view, {working(7), waiting(8)}, 0s, 10s).empty());
    EXPECT_TRUE(findings_of(view, {working(7)}, 11s, 99s).empty());
    EXPECT_TRUE(findings_of(view, {working(7), waiting(8)}, 100s, 160s).empty());
    EXPECT_EQ(findings_of(view, {working(7), waiting(8)}, 161s, 161s).size(), 1U);
}

TEST(GroupView, DoesNotNameRanksThatAreACallFurther) {
    GroupView view = three_ranks();  // rank 0 sent in a broadcast, 8, and waits in 9
    const auto findings = findings_of(view, {waiting(9), waiting(8), working(7, "x")}, 0s, 70s);
    ASSERT_EQ(findings.size(), 1U);
    EXPECT_EQ(findings[0].message.find("rank 0"), std::string::npos);
    EXPECT_EQ(findings[0].message.find("rank 1"), std::string::npos);
    EXPECT_NE(findings[0].message.find("rank 2 (host h2, in 'x'"), std::string::npos);
}

TEST(GroupView, ReportsThatTheRanksGoOnAndTheNextStall) {
    GroupView view = three_ranks();
    EXPECT_EQ(findings_of(view, {waiting(8), waiting(8), working(7)}, 0s, 100s).size(), 1U);
    const auto after = findings_of(view, {waiting(9), waiting(9), working(8)}, 101s, 200s);
    ASSERT_EQ(after.size(), 2U);
    EXPECT_EQ(after[0].kind, Kind::resumed);
    EXPECT_EQ(after[0].message, "the ranks go on after 1 min 41 s");
    EXPECT_EQ(after[1].kind, Kind::stalled);
}

TEST(GroupView, NamesASilentRankAndHowLongItHasBeenSilent) {
    GroupView view = three_ranks();
    EXPECT_TRUE(findings_of(view, {working(7), working(7), working(7, "reading data")}, 0s, 10s).empty());
    EXPECT_FALSE(view.is_silent(2, 15s));
    EXPECT_TRUE(view.is_silent(2, 16s));
    const auto findings = findings_of(view, {waiting(8), waiting(8)}, 11s, 80s);
    ASSERT_EQ(findings.size(), 1U);
    EXPECT_EQ(findings[0].message,
              "waiting for 1 min 01 s for rank 2 (host h2, silent for 1 min 02 s, last in 'reading data')");
}

TEST(GroupView, NamesASilentRankThatHadArrived) {
    GroupView view = three_ranks();
    EXPECT_TRUE(findings_of(view, {waiting(8), waiting(8), waiting(8)}, 0s, 10s).empty());
    const auto findings = findings_of(view, {waiting(8), waiting(8)}, 11s, 80s);
    ASSERT_EQ(findings.size(), 1U);
    EXPECT_NE(findings[0].message.find("rank 2 (host h2, silent for"), std::string::npos);
}

TEST(GroupView, ReportsNothingOfASilentRankWhileTheOthersGoOn) {
    GroupView view = three_ranks();
    findings_of(view, {waiting(8), waiting(8), waiting(8)}, 0s, 10s);  // then its connection alone is lost
    for (std::uint64_t call = 9; call < 100; ++call) {
        const DetectorTime begin = 10s * call;
        EXPECT_TRUE(findings_of(view, {waiting(call), waiting(call)}, begin, begin + 9s).empty());
    }
    EXPECT_TRUE(findings_of(view, {working(100), working(100)}, 1000s, 2000s).empty());
}

// Rank 0 waits for a message or for shared memory: not a call in which all ranks take part.
TEST(GroupView, NamesARankAtWorkWhereOthersWaitForSharedMemoryOrAMessage) {
    GroupView view = three_ranks();
    const auto findings = findings_of(
        view, {waiting_alone(7, 40), waiting_alone(7, 2), working(7, "reading data")}, 100s, 300s);
    ASSERT_EQ(findings.size(), 1U);
    EXPECT_EQ(findings[0].kind, Kind::stalled);
    EXPECT_EQ(findings[0].message,
              "waiting for 1 min 01 s for rank 2 (host h2, in 'reading data' for 1 min 01 s)");
}

TEST(GroupView, NamesInAWaitEvenARankThatIsACallFurther) {
    GroupView view = three_ranks();  // rank 2 sent in a broadcast, 8, and hangs; rank 1 is in it
    const auto findings = findings_of(view, {waiting_alone(7, 1), waiting(8), working(8, "x")}, 0s, 70s);
    ASSERT_EQ(findings.size(), 1U);
    EXPECT_EQ(findings[0].message.find("rank 0"), std::string::npos);
    EXPECT_EQ(findings[0].message.find("rank 1"), std::string::npos);
    EXPECT_NE(findings[0].message.find("rank 2 (host h2, in 'x'"), std::string::npos);
}

TEST(GroupView, DoesNotNameARankThatWaitsItselfAndIsNotInTheCall) {
    GroupView view = three_ranks();
    const auto findings = findings_of(view, {waiting(8), waiting_alone(7, 3), working(7, "x")}, 0s, 70s);
    ASSERT_EQ(findings.size(), 1U);
    EXPECT_EQ(findings[0].message.find("rank 1"), std::string::npos) << findings[0].message;
    EXPECT_NE(findings[0].message.find("rank 2 (host h2, in 'x'"), std::string::npos);
}

TEST(GroupView, ReportsNothingOfManyShortWaitsForSharedMemory) {
    GroupView view = three_ranks();
    for (std::uint64_t wait = 1; wait < 100; ++wait) {
        const DetectorTime begin = 10s * wait;
        const std::vector<RankState> states = {waiting_alone(7, wait), waiting_alone(7, 1), working(7)};
        EXPECT_TRUE(findings_of(view, states, begin, begin + 9s).empty());
    }
}

TEST(GroupView, GivesUpAWaitAtTheLimit) {
    GroupView view(0, {{0, "h0"}, {1, "h1"}}, {}, {DetectorTime::max(), 600s, 5s});
    const auto findings = findings_of(view, {waiting_alone(7, 1), working(9, "x")}, 0s, 601s);
    ASSERT_EQ(findings.size(), 1U);
    EXPECT_EQ(findings[0].kind, Kind::over_limit);
    EXPECT_NE(findings[0].message.find("for rank 1 (host h1, in 'x'"), std::string::npos);
}

TEST(GroupView, NamesTheNetworkWhereAllHaveArrived) {
    GroupView view = three_ranks();
    const auto findings = findings_of(view, {waiting(8), waiting(8), waiting(8)}, 0s, 70s);
    ASSERT_EQ(findings.size(), 1U);
    EXPECT_EQ(
        findings[0].message,
        "all ranks have arrived in a call that has lasted for 1 min 01 s: the network between them may be "
        "down");
}

TEST(GroupView, NamesUnmonitoredRanksWhereAllOthersHaveArrived) {
    GroupView view(0, {{0, "h0"}, {1, "h1"}}, {{2, "h2"}}, kLimits);
    const auto findings = findings_of(view, {waiting(8), waiting(8)}, 0s, 70s);
    ASSERT_EQ(findings.size(), 1U);
    EXPECT_NE(findings[0].message.find("perhaps for rank 2 (host h2), not monitored"), std::string::npos);
}

TEST(GroupView, FindsTheLimitExceededEvenIfThereWasNoWarning) {
    GroupView view(0, {{0, "h0"}, {1, "h1"}}, {}, {DetectorTime::max(), 600s, 5s});
    const auto findings = findings_of(view, {waiting(8), working(7, "x")}, 0s, 601s);
    ASSERT_EQ(findings.size(), 1U);
    EXPECT_EQ(findings[0].kind, Kind::over_limit);
    EXPECT_NE(findings[0].message.find("for rank 1 (host h1, in 'x'"), std::string::npos);
}

TEST(GroupView, NamesARankThatHasLeftWhereOthersWaitForIt) {
    GroupView view(0, {{0, "h0"}, {1, "h1"}}, {}, kLimits);
    view.record_leave(1, working(7), 0s);
    const auto findings = findings_of(view, {waiting(8)}, 0s, 70s);
    ASSERT_EQ(findings.size(), 1U);
    EXPECT_NE(findings[0].message.find("rank 1 (host h1, no longer monitored)"), std::string::npos);
}

TEST(GroupView, ListsEightRanksAtMost) {
    std::map<int, std::string> hosts;
    for (int rank = 0; rank < 20; ++rank)
        hosts.emplace(rank, "h");
    GroupView view(0, hosts, {}, kLimits);
    const auto findings = findings_of(view, {waiting(1)}, 0s, 70s);
    ASSERT_EQ(findings.size(), 1U);
    EXPECT_NE(findings[0].message.find("rank 8 (host h, silent for 1 min 01 s) and 11 more"),
              std::string::npos)
        << findings[0].message;
}

TEST(GroupView, NamesDeadRanks) {
    GroupView view = three_ranks();
    EXPECT_EQ(view.dead_ranks_message({2}), "rank 2 (host h2) has died");
    view.record(2, working(3, "reading data"), 1s);
    EXPECT_EQ(view.dead_ranks_message({2}), "rank 2 (host h2) has died; it was last in 'reading data'");
    EXPECT_EQ(view.dead_ranks_message({1, 2}), "rank 1 (host h1) and rank 2 (host h2) have died");
}

}  // namespace
}  // namespace vae_dist
