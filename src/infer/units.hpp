#pragma once

#include <optional>
#include <span>
#include <vector>

#include "vae_dist/infer/picture.hpp"
#include "vae_dist/infer/reconstruct.hpp"
#include "vae_dist/infer/trained_model.hpp"

namespace vae_dist {

/// From a model's numbers back to the data's: undoes the transform, then the scale. Where the data were
/// binarized, means of p(x|z) become the expected values.
class DataUnits {
 public:
    /// Throws an input error for the transform threshold, which cannot be undone.
    DataUnits(const TrainedModel& model, double scale);

    /// Samples (N, D).
    void apply(std::span<float> samples) const;

 private:
    Transform transform_;
    double scale_;
    std::vector<double> mean_;       ///< (D), of standardize
    std::vector<double> deviation_;  ///< (D), of standardize
};

/// "model", "data".
const char* name_of(Units units);

/// The factor of the data's numbers where no data are at hand: `given`, or what it was in training. Throws an
/// input error where the checkpoint does not tell.
double scale_of_training(const TrainedModel& model, const std::optional<double>& given);

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
