#pragma once

#include "vae_dist/infer/inference_data.hpp"
#include "vae_dist/infer/output_file.hpp"
#include "vae_dist/infer/units.hpp"

namespace vae_dist {

struct ReconstructOptions {
    InferenceDataOptions data;
    OutputOptions output;    ///< an empty path: no file
    std::string png;         ///< empty: none
    std::uint32_t seed = 1;  ///< of the draw from the posterior behind the terms of the ELBO
    Units units = Units::model;
};

/// Collective. Writes of every row, in row order, `reconstruction` (rows, row shape): the decoder's mean for
/// the posterior's mean; and the terms of the row's ELBO for one draw from the posterior,
/// `reconstruction_term`, `kl`, `elbo` (rows), in nats. The file is the same to the bit for every number of
/// ranks. With `png` a picture of the first rows beside their reconstructions.
void reconstruct(const TrainedModel& model, const ReconstructOptions& options, Communicator& communicator,
                 const Log& log);

}  // namespace vae_dist
