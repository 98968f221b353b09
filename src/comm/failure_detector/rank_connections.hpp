#pragma once

#include <map>
#include <string>
#include <vector>

#include "comm/failure_detector/socket.hpp"
#include "vae_dist/comm/communicator.hpp"
#include "vae_dist/core/log.hpp"

namespace vae_dist {

/// The connections of one rank in the failure detector's star, whose centre is rank 0.
struct RankConnections {
    /// By rank: of rank 0 to all others, of the others to rank 0; without those that failed.
    std::map<int, Socket> sockets;
    std::map<int, std::string>
        hosts;  ///< by rank: of all monitored ranks on rank 0, elsewhere of rank 0 alone
    std::map<int, std::string> unmonitored;  ///< on rank 0: hosts of the ranks without a connection
    std::vector<int> reporting;              ///< from `reporting_ranks`
};

/// The monitored ranks that report a failure of rank 0, in order. The first is not on the host of rank 0, if
/// there is such a rank, for that host may have failed. Then, for the first may have failed too, the first
/// rank of each other host. `hosts` by rank, with the host of rank 0.
std::vector<int> reporting_ranks(const std::map<int, std::string>& hosts);

/// Collective. Connects all ranks to rank 0, which warns of those that cannot reach it.
RankConnections connect_ranks(Communicator& communicator, const Log& log);

}  // namespace vae_dist
