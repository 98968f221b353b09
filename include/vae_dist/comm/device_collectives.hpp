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
/// same order with spans of equal length. What a call reads must have been asked of the backend before it;
/// what it writes is there for what is asked after DeviceBackend::join_communication. Meanwhile nothing may
/// touch the spans. Integers wrap around.
class DeviceCollectives {
 public:
    virtual ~DeviceCollectives() = default;

    /// "NCCL 2.28.9"
    virtual std::string description() const = 0;
    /// Whether calls only queue work and return at once, so that they may be part of what a backend repeats.
    virtual bool only_queues() const = 0;

    /// mine (n) = elements rank * n ... of the sum of all ranks' `all` (n * ranks), which holds anything
    /// afterwards. Sums of floats depend on the number of ranks in their last bits.
    virtual void reduce_scatter_sum(std::span<std::int64_t> all, std::span<std::int64_t> mine) = 0;
    virtual void reduce_scatter_sum(std::span<float> all, std::span<float> mine) = 0;
    virtual void reduce_scatter_sum(std::span<BFloat16> all, std::span<BFloat16> mine) = 0;

    /// Replaces each element by its sum over all ranks.
    virtual void all_reduce_sum(std::span<std::int64_t> values) = 0;

    /// Of each array, of equal parts of the ranks in their order, every rank has its own part; now all.
    virtual void all_gather(const std::vector<std::span<float>>& arrays) = 0;

    /// Throws ErrorKind::failure where communication has failed since.
    virtual void check() = 0;
};

/// Whether this build has NCCL.
bool nccl_built_in();
/// "NCCL 2.28.9"; "" where this build has none.
std::string nccl_version();

/// Collective. Over NCCL, whose identifier `control` exchanges. Throws an input error where this build has
/// none.
std::unique_ptr<DeviceCollectives> make_nccl_collectives(Communicator& control, DeviceBackend& backend);

/// Over `communicator`: by way of the host's memory, or on the device's itself where its library can read
/// that
/// (`direct`; CUDA-aware MPI). Each call waits for the device.
std::unique_ptr<DeviceCollectives> make_host_collectives(Communicator& communicator, DeviceBackend& backend,
                                                         bool direct);

/// Collective. Those that `kind` asks for; auto: NCCL where it is built in and every rank has a device of its
/// own, else MPI. Throws an input error on all ranks where ranks share a device that NCCL is to serve.
/// Nothing where there is one rank.
std::unique_ptr<DeviceCollectives> make_device_collectives(CommunicatorKind kind, Communicator& communicator,
                                                           DeviceBackend& backend);

}  // namespace vae_dist
