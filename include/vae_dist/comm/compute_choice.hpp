#pragma once

#include <memory>
#include <string>
#include <vector>

#include "vae_dist/backend/backend.hpp"
#include "vae_dist/comm/communicator.hpp"
#include "vae_dist/config/config.hpp"
#include "vae_dist/core/log.hpp"

namespace vae_dist {

/// What this rank computes with.
struct ComputeChoice {
    BackendKind backend = BackendKind::cpu;  ///< never automatic; the same on all ranks
    int device = 0;                          ///< of cuda: number in find_devices()
};

/// Collective. auto is cuda where every rank has a GPU that serves, else cpu, with a warning where only some
/// have one. The ranks of a host take its GPUs in turn, by their order on it; a rank that the batch system
/// shows one GPU alone takes that. Throws an input error on all ranks where what is asked for cannot be had
/// on one of them.
ComputeChoice choose_compute(const ComputeConfig& compute, Communicator& communicator, const Log& log);

/// The backend that was chosen, with as many threads as `compute` says.
std::unique_ptr<Backend> make_backend(const ComputeChoice& choice, const ComputeConfig& compute);

/// Collective. What every rank computes with, a line for each: "rank 0 (h1): NVIDIA H100 (GPU-...)"; on rank
/// 0, empty elsewhere.
std::vector<std::string> describe_choices(const ComputeChoice& choice, Communicator& communicator);

}  // namespace vae_dist
