#pragma once

#include <memory>
#include <string>
#include <vector>

#include "vae_dist/backend/backend.hpp"
#include "vae_dist/comm/communicator.hpp"
#include "vae_dist/config/config.hpp"
#include "vae_dist/core/log.hpp"

namespace vae_dist {

/// The backend and the device of this rank.
struct ComputeChoice {
    BackendKind backend = BackendKind::cpu;  ///< never automatic; the same on all ranks
    int device = 0;                          ///< with cuda: index in find_devices()
};

/// Collective. auto is cuda where every rank has a suitable GPU, else cpu, with a warning where only some
/// ranks have one. The ranks of a host take its GPUs in turn, in their order on the host; a rank to which the
/// batch system shows only one GPU takes that one. Throws an input error on all ranks where one of them lacks
/// what `compute` asks for.
ComputeChoice choose_compute(const ComputeConfig& compute, Communicator& communicator, const Log& log);

/// The backend that was chosen, with as many threads as `compute` says.
std::unique_ptr<Backend> make_backend(const ComputeChoice& choice, const ComputeConfig& compute);

/// Collective. The choices of all ranks on rank 0, a line each: "rank 0 (h1): NVIDIA H100 (GPU-...)"; empty
/// elsewhere.
std::vector<std::string> describe_choices(const ComputeChoice& choice, Communicator& communicator);

}  // namespace vae_dist
