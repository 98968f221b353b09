#pragma once

#include "vae_dist/comm/communicator.hpp"

namespace vae_dist {

/// All ranks of this test program, over MPI; made by main.cpp before the first test.
Communicator& mpi_world();

}  // namespace vae_dist
