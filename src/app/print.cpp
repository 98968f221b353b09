#include <fmt/format.h>

#include "app/commands.hpp"
#include "vae_dist/backend/backend.hpp"
#include "vae_dist/comm/mpi_communicator.hpp"
#include "vae_dist/comm/nccl_communicator.hpp"
#include "vae_dist/core/instruction_set.hpp"
#include "vae_dist/data/hdf5.hpp"

namespace vae_dist {

std::string version_text() {
    return fmt::format(
        "vae_dist {}\n"
        "instruction set  {}\n"
        "compute          {}; cuda: not in this build\n"
        "communication    {}; nccl: {}\n"
        "data             HDF5 {}.{}.{}",
        VAE_DIST_VERSION, instruction_set(), make_backend({})->description(), mpi_library_version(),
        nccl_built_in() ? "yes" : "not in this build", H5_VERS_MAJOR, H5_VERS_MINOR, H5_VERS_RELEASE);
}

void run_command(const PrintCommand& command, Communicator&, const Log& log) {
    log.info("{}", command.text);
}

}  // namespace vae_dist
