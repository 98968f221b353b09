#pragma once

#include <chrono>
#include <optional>

#include "vae_dist/core/log.hpp"

namespace vae_dist {

/// When the batch system will end the job that this process belongs to: asked of Slurm (SLURM_JOB_END_TIME
/// or, before Slurm 23 and where that has passed, squeue) where SLURM_JOB_ID is set. None outside a job, for
/// a job without a limit and, with a warning in `log`, where Slurm does not answer within `patience`. Starts
/// a program and may take as long, so one rank should ask for all. Never throws.
std::optional<std::chrono::system_clock::time_point> job_end_time(
    const Log& log, std::chrono::milliseconds patience = std::chrono::seconds(10));

}  // namespace vae_dist
