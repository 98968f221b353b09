#include <fmt/format.h>

#include "app/commands.hpp"
#include "vae_dist/backend/backend.hpp"
#include "vae_dist/backend/devices.hpp"
#include "vae_dist/comm/device_collectives.hpp"
#include "vae_dist/comm/mpi_communicator.hpp"
#include "vae_dist/core/instruction_set.hpp"
#include "vae_dist/core/text.hpp"
#include "vae_dist/data/hdf5/hdf5.hpp"

namespace vae_dist {

namespace {

std::string devices_text() {
    const Devices devices = find_devices();
    if (devices.all.empty()) return "none: " + devices.why_none;
    std::vector<std::string> lines;
    for (const Device& device : devices.all) {
        lines.push_back(fmt::format("{} ({}, compute capability {}, {}{})", device.name, device.id,
                                    device.capability, format_bytes(device.bytes),
                                    device.has_tensor_cores ? "" : "; too old"));
    }
    return fmt::format("{}", fmt::join(lines, "\n                 "));
}

}  // namespace

std::string version_text() {
    const char* const missing = "not in this build; cmake --preset cuda makes one that has it";
    return fmt::format(
        "vae_dist {}\n"
        "instruction set  {}\n"
        "compute          {}\n"
        "cuda             {}\n"
        "GPUs             {}\n"
        "communication    {}{}\n"
        "nccl             {}\n"
        "data             HDF5 {}.{}.{}",
        VAE_DIST_VERSION, instruction_set(), make_backend({})->description(),
        cuda_built_in() ? cuda_version() : missing, devices_text(), mpi_library_version(),
        mpi_reads_device_memory() ? "; reads GPUs' memory" : "", nccl_built_in() ? nccl_version() : missing,
        H5_VERS_MAJOR, H5_VERS_MINOR, H5_VERS_RELEASE);
}

void run_command(const PrintCommand& command, Communicator&, const Log& log) {
    log.info("{}", command.text);
}

}  // namespace vae_dist
