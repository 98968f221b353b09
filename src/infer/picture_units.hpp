#pragma once

#include <optional>
#include <span>

#include "infer/data_units.hpp"
#include "vae_dist/infer/picture.hpp"

namespace vae_dist {

/// How a picture shows samples: as the model has them, but in the data's own units where the transform is
/// none that keeps proportions (standardize, log1p).
class PictureUnits {
 public:
    explicit PictureUnits(const TrainedModel& model);

    void apply(std::span<float> samples) const;

    /// What black and white stand for: 0 and 1 of a bernoulli likelihood, the range of 8-bit pixels where the
    /// model was trained on such; else `of_others`.
    ValueSpan span(const ValueSpan& of_others) const { return known_.value_or(of_others); }

 private:
    std::optional<ValueSpan> known_;
    std::optional<DataUnits> data_units_;
};

/// How many samples of `features` numbers a picture shows, where it would show `wanted`: as many as fit into
/// 64 MiB of numbers, one at least.
std::int64_t samples_shown(std::int64_t wanted, std::int64_t features);

}  // namespace vae_dist
