#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "comm/watch/state.hpp"
#include "comm/watch/time.hpp"

namespace vae_dist {

/// What a group of ranks is doing, as far as one of them was told, and what is to be said of it. Pure logic:
/// time is what the caller says, and only that of one process.
///
/// The group stalls from the moment in which somebody waits in a call until somebody leaves one: where one
/// rank does not arrive the others may come a few calls further (the root of a broadcast need not wait), but
/// not for long.
class GroupView {
 public:
    struct Limits {
        WatchTime warning;
        WatchTime limit;
        WatchTime silence;  ///< a rank of which nothing was heard for longer is silent
    };
    struct Finding {
        enum class Kind { stalled, goes_on, over_limit };
        Kind kind;
        std::string message;
    };

    /// As seen by rank `self`. `hosts` of the ranks that are watched, by rank; `unwatched`: of those that are
    /// not.
    GroupView(int self, const std::map<int, std::string>& hosts, const std::map<int, std::string>& unwatched,
              const Limits& limits);

    /// `rank`, one that is watched, has told its state.
    void heard(int rank, const RankState& state, WatchTime now);
    /// It has left the watch, on purpose.
    void heard_goodbye(int rank, const RankState& state, WatchTime now);

    /// Never `self`, however late its thread may be.
    bool is_silent(int rank, WatchTime now) const;

    /// What is to be said now, if anything: each stall and its end once.
    std::optional<Finding> look(WatchTime now);

    /// "rank 2 (host h2) has died; it was last in 'reading data'".
    std::string death_message(const std::vector<int>& dead) const;

 private:
    struct Rank {
        std::string host;
        RankState state;
        WatchTime heard{0};    ///< last
        WatchTime changed{0};  ///< the time from which on its state is what it is
        bool gone = false;
    };

    bool waits(int number, const Rank& rank, WatchTime now) const;
    bool anybody_waits(WatchTime now) const;
    /// Those that keep the others waiting, each with what it does.
    std::vector<std::string> missing(WatchTime now) const;
    std::string describe(int number, const Rank& rank, WatchTime now) const;
    std::string stall_message(WatchTime waited, WatchTime now) const;

    int self_;
    std::map<int, Rank> ranks_;
    std::vector<std::string> unwatched_;
    Limits limits_;
    WatchTime progress_{0};            ///< when a call last ended, or the first to wait began to
    std::optional<WatchTime> warned_;  ///< of the stall since then
};

}  // namespace vae_dist
