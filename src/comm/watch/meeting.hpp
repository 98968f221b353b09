#pragma once

#include <map>
#include <string>
#include <vector>

#include "comm/watch/socket.hpp"
#include "vae_dist/comm/communicator.hpp"
#include "vae_dist/core/log.hpp"

namespace vae_dist {

/// How the ranks have met, as one of them needs it.
struct Meeting {
    /// Connections that this rank has: rank 0 to all others, those to rank 0; without those that did not come
    /// about.
    std::map<int, Socket> connections;
    std::map<int, std::string> hosts;      ///< by rank, of those watched: on rank 0 all, else rank 0's
    std::map<int, std::string> unwatched;  ///< on rank 0: the hosts of the others
    std::vector<int> speakers;             ///< as of `speakers_of`
};

/// Who speaks where rank 0 cannot, of the watched ranks: first the deputy, whom what befell rank 0's host has
/// spared if there is another; then, in case he is gone too, the first rank of each host that is not his.
/// `hosts` by rank, that of rank 0 among them.
std::vector<int> speakers_of(const std::map<int, std::string>& hosts);

/// Collective. Rank 0 warns of those that cannot reach it.
Meeting meet(Communicator& communicator, const Log& log);

}  // namespace vae_dist
