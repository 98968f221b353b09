#include "app/commands.hpp"
#include "vae_dist/comm/agreement.hpp"
#include "vae_dist/config/load.hpp"
#include "vae_dist/core/error.hpp"

namespace vae_dist {

Config load_config_together(const std::string& path, const std::vector<std::string>& overrides,
                            Communicator& communicator) {
    Config config;
    run_together(communicator, [&] {
        config = load_config(path, overrides);
        if (config.compute.communicator == CommunicatorKind::mpi && communicator.name() != "mpi") {
            throw_input_error(
                "compute.communicator is mpi, but no MPI started this process; use mpirun, or auto");
        }
    });
    return config;
}

}  // namespace vae_dist
