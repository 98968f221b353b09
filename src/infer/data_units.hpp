#pragma once

#include <optional>
#include <span>
#include <vector>

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

/// The factor of the data's numbers where no data are at hand: `given`, or what it was in training. Throws an
/// input error where the checkpoint does not tell.
double scale_of_training(const TrainedModel& model, const std::optional<double>& given);

}  // namespace vae_dist
