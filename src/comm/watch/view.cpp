#include "comm/watch/view.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "vae_dist/core/text.hpp"

namespace vae_dist {

namespace {

constexpr std::size_t kMostNamed = 8;

std::string in_words(WatchTime time) {
    return format_duration(std::chrono::duration<double>(time).count());
}

std::string named(int rank, const std::string& host) {
    return fmt::format("rank {} (host {})", rank, host);
}

}  // namespace

GroupView::GroupView(int self, const std::map<int, std::string>& hosts,
                     const std::map<int, std::string>& unwatched, const Limits& limits)
    : self_(self), limits_(limits) {
    for (const auto& [rank, host] : hosts)
        ranks_[rank].host = host;
    for (const auto& [rank, host] : unwatched)
        unwatched_.push_back(named(rank, host));
}

void GroupView::heard(int rank, const RankState& state, WatchTime now) {
    Rank& known = ranks_.at(rank);
    // All are looked at only where one begins to wait: rank 0 hears of every rank every second.
    const bool begins = state.stands() && !waits(rank, known, now);
    const bool ended = state.left > known.state.left || state.waits_ended() > known.state.waits_ended();
    if (ended || (begins && !anybody_waits(now))) progress_ = now;
    if (state != known.state) known.changed = now;
    known.state = state;
    known.heard = now;
}

void GroupView::heard_goodbye(int rank, const RankState& state, WatchTime now) {
    heard(rank, state, now);
    ranks_.at(rank).gone = true;
}

bool GroupView::is_silent(int rank, WatchTime now) const {
    const Rank& known = ranks_.at(rank);
    return rank != self_ && !known.gone && now - known.heard > limits_.silence;
}

// What a silent rank did last says nothing of what it does now: its connection alone may be lost.
bool GroupView::waits(int number, const Rank& rank, WatchTime now) const {
    return rank.state.stands() && !rank.gone && !is_silent(number, now);
}

bool GroupView::anybody_waits(WatchTime now) const {
    return std::any_of(ranks_.begin(), ranks_.end(),
                       [&](const auto& entry) { return waits(entry.first, entry.second, now); });
}

std::optional<GroupView::Finding> GroupView::look(WatchTime now) {
    const bool stalls = anybody_waits(now);
    if (warned_ && (!stalls || *warned_ != progress_)) {
        const WatchTime waited = now - *warned_;
        warned_.reset();
        return Finding{Finding::Kind::goes_on, fmt::format("the ranks go on after {}", in_words(waited))};
    }
    if (!stalls) return std::nullopt;
    const WatchTime waited = now - progress_;
    if (waited > limits_.limit) return Finding{Finding::Kind::over_limit, stall_message(waited, now)};
    if (waited <= limits_.warning || warned_) return std::nullopt;
    warned_ = progress_;
    return Finding{Finding::Kind::stalled, stall_message(waited, now)};
}

// The oldest call that has not ended for all counts: ranks that wait in a later one are not late, and those
// that wait in it are not to blame. A wait may be for any rank that does not itself stand.
std::vector<std::string> GroupView::missing(WatchTime now) const {
    std::uint64_t ended = std::numeric_limits<std::uint64_t>::max();
    for (const auto& [number, rank] : ranks_) {
        if (!is_silent(number, now)) ended = std::min(ended, rank.state.left);
    }
    const bool in_wait = std::any_of(ranks_.begin(), ranks_.end(), [&](const auto& entry) {
        return entry.second.state.in_wait() && waits(entry.first, entry.second, now);
    });
    std::vector<std::string> missing;
    for (const auto& [number, rank] : ranks_) {
        const bool late = !rank.state.stands() && (rank.state.entered <= ended || in_wait);
        if (late || is_silent(number, now)) missing.push_back(describe(number, rank, now));
    }
    return missing;
}

std::string GroupView::describe(int number, const Rank& rank, WatchTime now) const {
    std::string text = fmt::format("rank {} (host {}", number, rank.host);
    const std::string& phase = rank.state.phase;
    if (rank.gone) {
        text += ", which has left the watch";
    } else if (is_silent(number, now)) {
        text += fmt::format(", silent for {}", in_words(now - rank.heard));
        if (!phase.empty()) text += fmt::format(", last in '{}'", phase);
    } else if (!phase.empty()) {
        text += fmt::format(", in '{}' for {}", phase, in_words(now - rank.changed));
    } else {
        text += fmt::format(", at work for {}", in_words(now - rank.changed));
    }
    return text + ")";
}

std::string GroupView::stall_message(WatchTime waited, WatchTime now) const {
    const std::vector<std::string> late = missing(now);
    if (!late.empty())
        return fmt::format("waiting for {} for {}", in_words(waited), format_list(late, kMostNamed));
    if (!unwatched_.empty()) {
        return fmt::format("waiting for {}, perhaps for {}, not watched; all others have arrived",
                           in_words(waited), format_list(unwatched_, kMostNamed));
    }
    return fmt::format(
        "all ranks have arrived in a call that has lasted for {}: the network between them may be down",
        in_words(waited));
}

std::string GroupView::death_message(const std::vector<int>& dead) const {
    std::vector<std::string> names;
    for (const int rank : dead)
        names.push_back(named(rank, ranks_.at(rank).host));
    if (dead.size() > 1) return format_list(names, kMostNamed) + " have died";
    const std::string& phase = ranks_.at(dead.front()).state.phase;
    return names.front() + " has died" + (phase.empty() ? "" : fmt::format("; it was last in '{}'", phase));
}

}  // namespace vae_dist
