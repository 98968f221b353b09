#include "comm/failure_detector/group_view.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "vae_dist/core/text.hpp"

namespace vae_dist {

namespace {

constexpr std::size_t kMostNamed = 8;

std::string in_words(DetectorTime time) {
    return format_duration(std::chrono::duration<double>(time).count());
}

std::string named(int rank, const std::string& host) {
    return fmt::format("rank {} (host {})", rank, host);
}

}  // namespace

GroupView::GroupView(int self, const std::map<int, std::string>& hosts,
                     const std::map<int, std::string>& unmonitored, const Limits& limits)
    : self_(self), limits_(limits) {
    for (const auto& [rank, host] : hosts)
        ranks_[rank].host = host;
    for (const auto& [rank, host] : unmonitored)
        unmonitored_.push_back(named(rank, host));
}

void GroupView::record(int rank, const RankState& state, DetectorTime now) {
    Rank& known = ranks_.at(rank);
    // The loop over all ranks runs only where a wait begins: rank 0 records every rank once a second.
    const bool begins = state.is_waiting() && !is_waiting(rank, known, now);
    const bool ended =
        state.calls_ended > known.state.calls_ended || state.waits_ended() > known.state.waits_ended();
    if (ended || (begins && !any_waiting(now))) progress_ = now;
    if (state != known.state) known.last_change = now;
    known.state = state;
    known.last_heartbeat = now;
}

void GroupView::record_leave(int rank, const RankState& state, DetectorTime now) {
    record(rank, state, now);
    ranks_.at(rank).left = true;
}

bool GroupView::is_silent(int rank, DetectorTime now) const {
    const Rank& known = ranks_.at(rank);
    return rank != self_ && !known.left && now - known.last_heartbeat > limits_.silence_timeout;
}

// The last state of a silent rank does not tell its present one: only its connection may be lost.
bool GroupView::is_waiting(int number, const Rank& rank, DetectorTime now) const {
    return rank.state.is_waiting() && !rank.left && !is_silent(number, now);
}

bool GroupView::any_waiting(DetectorTime now) const {
    return std::any_of(ranks_.begin(), ranks_.end(),
                       [&](const auto& entry) { return is_waiting(entry.first, entry.second, now); });
}

std::optional<GroupView::Finding> GroupView::check(DetectorTime now) {
    const bool stalls = any_waiting(now);
    if (warned_ && (!stalls || *warned_ != progress_)) {
        const DetectorTime waited = now - *warned_;
        warned_.reset();
        return Finding{Finding::Kind::resumed, fmt::format("the ranks go on after {}", in_words(waited))};
    }
    if (!stalls) return std::nullopt;
    const DetectorTime waited = now - progress_;
    if (waited > limits_.limit) return Finding{Finding::Kind::over_limit, stall_message(waited, now)};
    if (waited <= limits_.warning || warned_) return std::nullopt;
    warned_ = progress_;
    return Finding{Finding::Kind::stalled, stall_message(waited, now)};
}

// The oldest call that has not ended on all ranks counts: ranks that wait in it or in a later call are not
// late. In a wait for shared memory or a message, every rank that is not waiting itself may be late.
std::vector<std::string> GroupView::late_ranks(DetectorTime now) const {
    std::uint64_t ended = std::numeric_limits<std::uint64_t>::max();
    for (const auto& [number, rank] : ranks_) {
        if (!is_silent(number, now)) ended = std::min(ended, rank.state.calls_ended);
    }
    const bool in_wait = std::any_of(ranks_.begin(), ranks_.end(), [&](const auto& entry) {
        return entry.second.state.in_wait() && is_waiting(entry.first, entry.second, now);
    });
    std::vector<std::string> late_ranks;
    for (const auto& [number, rank] : ranks_) {
        const bool late = !rank.state.is_waiting() && (rank.state.calls_begun <= ended || in_wait);
        if (late || is_silent(number, now)) late_ranks.push_back(describe(number, rank, now));
    }
    return late_ranks;
}

std::string GroupView::describe(int number, const Rank& rank, DetectorTime now) const {
    std::string text = fmt::format("rank {} (host {}", number, rank.host);
    const std::string& activity = rank.state.activity;
    if (rank.left) {
        text += ", no longer monitored";
    } else if (is_silent(number, now)) {
        text += fmt::format(", silent for {}", in_words(now - rank.last_heartbeat));
        if (!activity.empty()) text += fmt::format(", last in '{}'", activity);
    } else if (!activity.empty()) {
        text += fmt::format(", in '{}' for {}", activity, in_words(now - rank.last_change));
    } else {
        text += fmt::format(", at work for {}", in_words(now - rank.last_change));
    }
    return text + ")";
}

std::string GroupView::stall_message(DetectorTime waited, DetectorTime now) const {
    const std::vector<std::string> late = late_ranks(now);
    if (!late.empty())
        return fmt::format("waiting for {} for {}", in_words(waited), format_list(late, kMostNamed));
    if (!unmonitored_.empty()) {
        return fmt::format("waiting for {}, perhaps for {}, not monitored; all others have arrived",
                           in_words(waited), format_list(unmonitored_, kMostNamed));
    }
    return fmt::format(
        "all ranks have arrived in a call that has lasted for {}: the network between them may be down",
        in_words(waited));
}

std::string GroupView::dead_ranks_message(const std::vector<int>& dead) const {
    std::vector<std::string> names;
    names.reserve(dead.size());
    for (const int rank : dead)
        names.push_back(named(rank, ranks_.at(rank).host));
    if (dead.size() > 1) return format_list(names, kMostNamed) + " have died";
    const std::string& activity = ranks_.at(dead.front()).state.activity;
    return names.front() + " has died" +
           (activity.empty() ? "" : fmt::format("; it was last in '{}'", activity));
}

}  // namespace vae_dist
