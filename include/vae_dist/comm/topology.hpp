#pragma once

#include <string>

#include "vae_dist/comm/communicator.hpp"

namespace vae_dist {

/// This machine's name.
std::string host_name();

/// Collective. How many ranks run on the machine (by its host name) that this one runs on.
int ranks_on_this_machine(Communicator& communicator);

}  // namespace vae_dist
