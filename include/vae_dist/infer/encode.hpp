#pragma once

#include "vae_dist/infer/inference_data.hpp"
#include "vae_dist/infer/output_file.hpp"

namespace vae_dist {

/// Collective. Writes the posterior's `mean` and `log_variance` (rows, Z) of every row, in row order. The
/// file is the same to the bit for every number of ranks.
void encode(const TrainedModel& model, const InferenceDataOptions& data, const OutputOptions& output,
            Communicator& communicator, const Log& log);

}  // namespace vae_dist
