#pragma once

#include <chrono>
#include <optional>

#include "vae_dist/core/log.hpp"

namespace vae_dist {

/// The time at which Slurm will end the job of this process. It comes from SLURM_JOB_END_TIME or, before
/// Slurm 23 and where that time has passed, from squeue. None outside a job (SLURM_JOB_ID), for a job without
/// a limit and, with a warning in `log`, where Slurm does not answer within `timeout`. The function starts a
/// program and may take as long, so one rank should call it for all. Never throws.
std::optional<std::chrono::system_clock::time_point> job_end_time(
    const Log& log, std::chrono::milliseconds timeout = std::chrono::seconds(10));

}  // namespace vae_dist
