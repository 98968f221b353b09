#pragma once

#include <optional>
#include <span>

#include "infer/data_units.hpp"
#include "vae_dist/infer/picture.hpp"

namespace vae_dist {

/// How a picture shows samples. Of a bernoulli likelihood: as the model has them, 0 black and 1 white. Else
/// what is between the least and the greatest of them, in the data's own units where the transform is none
/// that keeps proportions (standardize, log1p).
class PictureUnits {
 public:
    explicit PictureUnits(const TrainedModel& model);

    void apply(std::span<float> samples) const;
    /// Of samples after `apply`.
    ValueSpan span(std::span<const float> samples) const {
        return bernoulli_ ? ValueSpan() : span_of(samples);
    }

 private:
    bool bernoulli_;
    std::optional<DataUnits> data_units_;
};

/// How many samples of `features` numbers a picture shows, where it would show `wanted`: as many as fit into
/// 64 MiB of numbers, one at least.
std::int64_t samples_shown(std::int64_t wanted, std::int64_t features);

}  // namespace vae_dist
