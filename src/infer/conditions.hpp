#pragma once

#include <map>
#include <string>
#include <vector>

#include "vae_dist/infer/generate.hpp"
#include "vae_dist/infer/trained_model.hpp"

namespace vae_dist {

/// The dataset of each condition of the model, in the file of `options.dataset`: what the options say, else
/// what the run's configuration says for that dataset. Throws an input error for a condition without a
/// dataset, and for a name that is no condition of the model.
std::map<std::string, std::string> condition_datasets(const InferenceDataOptions& options,
                                                      const TrainedModel& model);

/// The numbers (C) of each condition of the model as it takes them, from `options.condition`; none where the
/// decoder has no conditions. Throws an input error for a condition without a value, a value that is no
/// number, and a name that is no condition.
std::vector<std::vector<float>> condition_values(const GenerateOptions& options, const TrainedModel& model);

}  // namespace vae_dist
