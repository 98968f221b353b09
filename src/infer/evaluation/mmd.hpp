#pragma once

#include <optional>
#include <span>

#include "vae_dist/infer/evaluate.hpp"

namespace vae_dist {

/// Compares n generated samples with n samples of the data, and these with n others of the data: (n, D) each,
/// host memory, D = `features`. Absent for n < 2, and where half of the data's samples or more are alike, so
/// that their median distance is 0. Takes about 7 n^2 doubles of memory besides one copy of the sets.
std::optional<SampleQuality> sample_quality(Backend& backend, std::int64_t features,
                                            std::span<const float> data, std::span<const float> other_data,
                                            std::span<const float> generated);

}  // namespace vae_dist
