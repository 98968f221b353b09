#include "gpu/device_world.hpp"
#include "vae_dist/comm/mpi_communicator.hpp"

namespace vae_dist {

CollectivesCase direct_collectives() {
    return {"CudaAwareMpi", "reads the devices' memory",
            [](Communicator& communicator, DeviceBackend& device) {
                return make_host_collectives(communicator, device, true);
            },
            mpi_reads_device_memory};
}

}  // namespace vae_dist
