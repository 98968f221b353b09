#pragma once

#include <memory>

#include "vae_dist/comm/communicator.hpp"

namespace vae_dist {

/// True if this build has NCCL.
bool nccl_built_in();

/// A communicator over NVIDIA's NCCL for the ranks of `control`, which exchanges NCCL's identifier and must
/// outlive it. Spans are then device memory. Throws an input error where this build has no NCCL.
std::unique_ptr<Communicator> make_nccl_communicator(Communicator& control);

}  // namespace vae_dist
