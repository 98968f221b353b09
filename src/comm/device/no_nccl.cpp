#include "vae_dist/comm/device_collectives.hpp"
#include "vae_dist/core/error.hpp"

namespace vae_dist {

bool nccl_built_in() {
    return false;
}

std::string nccl_version() {
    return "";
}

std::unique_ptr<DeviceCollectives> make_nccl_collectives(Communicator&, DeviceBackend&) {
    throw_input_error(
        "compute.communicator is nccl, but this build has no NCCL; build it with cmake --preset cuda, or set "
        "compute.communicator to auto or mpi");
}

}  // namespace vae_dist
