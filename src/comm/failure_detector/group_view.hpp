#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "comm/failure_detector/activity.hpp"
#include "comm/failure_detector/running_clock.hpp"

namespace vae_dist {

/// The states of a group of ranks as one of them knows them from heartbeats, and the reports that follow from
/// them. Pure logic: the caller gives the time, all of it from the clock of one process.
///
/// The group stalls from the moment in which some rank waits in a call until some rank ends one. Where one
/// rank does not arrive, others may make a few more calls (the root of a broadcast need not wait), but not
/// many.
class GroupView {
 public:
    struct Limits {
        DetectorTime warning;
        DetectorTime limit;
        DetectorTime silence_timeout;  ///< a rank without a heartbeat for longer is silent
    };
    struct Finding {
        enum class Kind { stalled, resumed, over_limit };
        Kind kind;
        std::string message;
    };

    /// The view of rank `self`. `hosts` of the monitored ranks, by rank; `unmonitored`: hosts of the other
    /// ranks.
    GroupView(int self, const std::map<int, std::string>& hosts,
              const std::map<int, std::string>& unmonitored, const Limits& limits);

    /// Takes in a heartbeat of `rank`, a monitored one.
    void record(int rank, const RankState& state, DetectorTime now);
    /// Takes in the leave message of `rank`.
    void record_leave(int rank, const RankState& state, DetectorTime now);

    /// Whether the last heartbeat of `rank` is too old. False for `self`, even if its thread is late.
    bool is_silent(int rank, DetectorTime now) const;

    /// What is to be reported now, if anything: each stall and its end once.
    std::optional<Finding> check(DetectorTime now);

    /// "rank 2 (host h2) has died; it was last in 'reading data'".
    std::string dead_ranks_message(const std::vector<int>& dead) const;

 private:
    struct Rank {
        std::string host;
        RankState state;
        DetectorTime last_heartbeat{0};
        DetectorTime last_change{0};  ///< of its state
        bool left = false;
    };

    bool is_waiting(int number, const Rank& rank, DetectorTime now) const;
    bool any_waiting(DetectorTime now) const;
    /// The ranks that the others wait for, each with its activity.
    std::vector<std::string> late_ranks(DetectorTime now) const;
    std::string describe(int number, const Rank& rank, DetectorTime now) const;
    std::string stall_message(DetectorTime waited, DetectorTime now) const;

    int self_;
    std::map<int, Rank> ranks_;
    std::vector<std::string> unmonitored_;
    Limits limits_;
    DetectorTime progress_{0};            ///< when a call last ended, or the first wait after that began
    std::optional<DetectorTime> warned_;  ///< `progress_` of the stall that was reported
};

}  // namespace vae_dist
