#include <exception>
#include <map>
#include <optional>

#include "comm/all_gather.hpp"
#include "comm/shared_segment.hpp"
#include "vae_dist/comm/shared_memory.hpp"
#include "vae_dist/core/error.hpp"

namespace vae_dist {

namespace {

/// Groups of ranks with equal names, in the order of their first ranks.
std::vector<std::vector<int>> group_by_name(const std::vector<std::string>& names) {
    std::vector<std::vector<int>> groups;
    std::map<std::string, std::size_t> group_of;
    for (std::size_t rank = 0; rank < names.size(); ++rank) {
        const auto [known, is_new] = group_of.try_emplace(names[rank], groups.size());
        if (is_new) groups.emplace_back();
        groups[known->second].push_back(static_cast<int>(rank));
    }
    return groups;
}

Hosts hosts_of(std::vector<std::vector<int>> groups, std::size_t ranks) {
    Hosts hosts{std::move(groups), std::vector<int>(ranks), ""};
    for (std::size_t host = 0; host < hosts.ranks.size(); ++host) {
        for (const int rank : hosts.ranks[host])
            hosts.host_of[static_cast<std::size_t>(rank)] = static_cast<int>(host);
    }
    return hosts;
}

Hosts each_alone(std::size_t ranks) {
    std::vector<std::vector<int>> groups;
    for (std::size_t rank = 0; rank < ranks; ++rank)
        groups.push_back({static_cast<int>(rank)});
    return hosts_of(std::move(groups), ranks);
}

/// Why `work` threw; empty if it did not.
template <class Work>
std::string reason_of(const Work& work) {
    try {
        work();
    } catch (const std::exception& error) {
        return error.what();
    }
    return "";
}

/// Collective. For each rank why it cannot read the memory of the other ranks of its group; empty if it can.
std::vector<std::string> try_to_share(Communicator& communicator, const Hosts& hosts) {
    std::optional<SharedSegment> segment;
    std::string reason = reason_of([&] { segment.emplace(1); });
    const auto addresses = all_gather(communicator, segment ? segment->address() : SegmentAddress{});
    if (reason.empty()) {
        reason = reason_of([&] {
            for (const int rank : hosts.of(communicator.rank())) {
                if (rank != communicator.rank()) map_segment(addresses[static_cast<std::size_t>(rank)]);
            }
        });
    }
    // The call returns after all ranks have tried: only then a rank closes its segment.
    return all_gather_text(communicator, reason);
}

}  // namespace

const std::vector<int>& Hosts::of(int rank) const {
    return ranks.at(static_cast<std::size_t>(host_of.at(static_cast<std::size_t>(rank))));
}

bool Hosts::together(int rank, int other) const {
    return host_of.at(static_cast<std::size_t>(rank)) == host_of.at(static_cast<std::size_t>(other));
}

Hosts find_hosts(Communicator& communicator, bool share, const std::string& host) {
    const auto size = static_cast<std::size_t>(communicator.size());
    if (!share) return each_alone(size);
    const Hosts by_name = hosts_of(group_by_name(all_gather_text(communicator, host)), size);
    if (by_name.count() == communicator.size()) return by_name;

    const std::vector<std::string> reasons = try_to_share(communicator, by_name);
    std::vector<std::string> names(size);
    std::string why_not;
    for (std::size_t rank = 0; rank < size; ++rank) {
        const std::vector<int>& group = by_name.of(static_cast<int>(rank));
        bool all_can = true;
        for (const int other : group)
            all_can = all_can && reasons[static_cast<std::size_t>(other)].empty();
        names[rank] = std::to_string(all_can ? group.front() : static_cast<int>(rank));
        if (why_not.empty() && !reasons[rank].empty() && group.size() > 1)
            why_not = fmt::format("rank {}: {}", rank, reasons[rank]);
    }
    Hosts hosts = hosts_of(group_by_name(names), size);
    hosts.why_not = why_not;
    return hosts;
}

}  // namespace vae_dist
