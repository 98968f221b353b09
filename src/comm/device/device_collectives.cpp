#include "vae_dist/comm/device_collectives.hpp"

#include <algorithm>

#include "comm/all_gather.hpp"
#include "vae_dist/comm/mpi_communicator.hpp"
#include "vae_dist/core/error.hpp"

namespace vae_dist {

namespace {

// "ranks 0 and 2 share the GPU GPU-..."; empty if each rank has its own.
std::string shared_device(const std::vector<std::string>& ids) {
    for (std::size_t rank = 0; rank < ids.size(); ++rank) {
        const auto other =
            std::find(ids.begin() + static_cast<std::ptrdiff_t>(rank) + 1, ids.end(), ids[rank]);
        if (other != ids.end())
            return fmt::format("ranks {} and {} share {}", rank, other - ids.begin(), ids[rank]);
    }
    return "";
}

}  // namespace

std::unique_ptr<DeviceCollectives> make_device_collectives(CommunicatorKind kind, Communicator& communicator,
                                                           DeviceBackend& backend) {
    const std::string shared = shared_device(all_gather_text(communicator, backend.device_id()));
    if (kind == CommunicatorKind::nccl && !shared.empty()) {
        throw Error(
            ErrorKind::input,
            fmt::format("compute.communicator is nccl, which needs a GPU for every rank, but {}; start as "
                        "many ranks as there are GPUs, or set compute.communicator to mpi",
                        shared))
            .mark_on_all_ranks();
    }
    if (communicator.size() == 1) return nullptr;
    const bool nccl = kind == CommunicatorKind::nccl ||
                      (kind == CommunicatorKind::automatic && nccl_built_in() && shared.empty());
    if (nccl) return make_nccl_collectives(communicator, backend);
    return make_host_collectives(communicator, backend, mpi_reads_device_memory());
}

}  // namespace vae_dist
