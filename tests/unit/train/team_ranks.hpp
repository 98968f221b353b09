#pragma once

#include <functional>
#include <string>
#include <vector>

#include "support/thread_communicator.hpp"
#include "train/step/team.hpp"

namespace vae_dist {

/// The host of each rank.
using Placement = std::vector<std::string>;

/// One to four ranks on one host, each on its own, and unevenly on several.
inline std::vector<Placement> placements() {
    return {{"a"},           {"a", "a"},      {"a", "b"},           {"a", "a", "a"},
            {"a", "b", "a"}, {"a", "b", "c"}, {"a", "a", "b", "b"}, {"a", "b", "b", "b"}};
}

inline void run_team(const Placement& hosts, const std::function<void(Team&)>& body) {
    run_ranks(static_cast<int>(hosts.size()), [&](Communicator& communicator) {
        const std::string& host = hosts[static_cast<std::size_t>(communicator.rank())];
        Team team(communicator, find_hosts(communicator, true, host));
        body(team);
    });
}

}  // namespace vae_dist
