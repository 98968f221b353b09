#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "vae_dist/backend/device_backend.hpp"
#include "vae_dist/comm/communicator.hpp"
#include "vae_dist/config/config.hpp"
#include "vae_dist/core/bfloat16.hpp"

namespace vae_dist {

/// Sums and gathers of arrays in a device's memory, one device a rank. All ranks make the same calls in the
/// same order with spans of equal length. A call reads what operations of the backend before it have written.
/// Operations after DeviceBackend::join_communication see what it has written. Between the two nothing else
/// may use the spans. Integers wrap on overflow.
class DeviceCollectives {
 public:
    virtual ~DeviceCollectives() = default;

    /// "NCCL 2.28.9"
    virtual std::string description() const = 0;
    /// Whether calls only queue work and return at once, so that a backend can record and repeat them.
    virtual bool only_queues() const = 0;

    /// mine (n) = elements rank * n ... of the sum of all ranks' `all` (n * ranks), whose contents are
    /// undefined afterwards. Sums of floats depend on the number of ranks in their last bits.
    virtual void reduce_scatter_sum(std::span<std::int64_t> all, std::span<std::int64_t> mine) = 0;
    virtual void reduce_scatter_sum(std::span<float> all, std::span<float> mine) = 0;
    virtual void reduce_scatter_sum(std::span<BFloat16> all, std::span<BFloat16> mine) = 0;

    /// Replaces each element by its sum over all ranks.
    virtual void all_reduce_sum(std::span<std::int64_t> values) = 0;

    /// Gathers arrays that consist of equal parts, one a rank in the order of ranks: before, every rank has
    /// its own part of each array; afterwards all parts.
    virtual void all_gather(const std::vector<std::span<float>>& arrays) = 0;

    /// Throws ErrorKind::failure where communication has failed since the last call.
    virtual void check() = 0;
};

/// Whether this build has NCCL.
bool nccl_built_in();
/// "NCCL 2.28.9"; "" where this build has none.
std::string nccl_version();

/// Collective. Collectives by NCCL, whose identifier travels over `control`. Throws an input error where this
/// build has no NCCL.
std::unique_ptr<DeviceCollectives> make_nccl_collectives(Communicator& control, DeviceBackend& backend);

/// Collectives by `communicator`, through the host's memory, or (`direct`, for CUDA-aware MPI) on the
/// device's memory itself. Each call waits for the device.
std::unique_ptr<DeviceCollectives> make_host_collectives(Communicator& communicator, DeviceBackend& backend,
                                                         bool direct);

/// Collective. The collectives that `kind` asks for; auto: NCCL where it is built in and every rank has its
/// own device, else MPI. Throws an input error on all ranks where two ranks share a device and `kind` is
/// NCCL. Null for one rank.
std::unique_ptr<DeviceCollectives> make_device_collectives(CommunicatorKind kind, Communicator& communicator,
                                                           DeviceBackend& backend);

}  // namespace vae_dist
