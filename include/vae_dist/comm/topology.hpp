#pragma once

#include "vae_dist/comm/communicator.hpp"

namespace vae_dist {

/// Collective. How many ranks run on the machine (by its host name) that this one runs on.
int ranks_on_this_machine(Communicator& communicator);

}  // namespace vae_dist
