#pragma once

#include <string>

#include "vae_dist/comm/communicator.hpp"

namespace vae_dist {

/// The name of this host.
std::string host_name();

/// Collective. The number of ranks on the host of this rank, by host name.
int ranks_on_this_machine(Communicator& communicator);

}  // namespace vae_dist
