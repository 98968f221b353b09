#include "gpu/device_world.hpp"

#include "mpi/mpi_world.hpp"
#include "vae_dist/backend/devices.hpp"

namespace vae_dist {

int device_of_rank() {
    const int rank = mpi_world().rank();
    return rank < std::ssize(find_devices().all) ? rank : -1;
}

std::vector<CollectivesCase> collectives_cases() {
    return {{"NCCL", "NCCL ", make_nccl_collectives, nccl_built_in},
            {"Host", "by way of the host's memory",
             [](Communicator& communicator, DeviceBackend& device) {
                 return make_host_collectives(communicator, device, false);
             }},
            direct_collectives()};
}

}  // namespace vae_dist
