#include "vae_dist/comm/nccl_communicator.hpp"
#include "vae_dist/core/error.hpp"

namespace vae_dist {

bool nccl_built_in() {
    return false;
}

std::unique_ptr<Communicator> make_nccl_communicator(Communicator&) {
    throw_input_error("compute.communicator: nccl: this build of vae_dist has no NCCL; use 'auto' or 'mpi'");
}

}  // namespace vae_dist
