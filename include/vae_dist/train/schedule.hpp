#pragma once

#include <cstdint>

#include "vae_dist/config/config.hpp"

namespace vae_dist {

// Pure functions of the step, counted from 0.

/// Learning rate of a step: linear warm-up over schedule.warmup_steps (the first step has 1 / warmup_steps of
/// it), times the schedule, which counts from the end of the warm-up. Cosine: Loshchilov and Hutter (2017),
/// without restarts.
double learning_rate(const OptimizerConfig& optimizer, std::int64_t step, std::int64_t total_steps);

/// Weight of the KL term of a step: beta, reached linearly over kl_warmup_steps (Bowman et al., 2016).
double kl_weight(const ObjectiveConfig& objective, std::int64_t step);

}  // namespace vae_dist
