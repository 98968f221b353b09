#pragma once

#include <array>
#include <optional>
#include <string>

#include "vae_dist/infer/inference_data.hpp"
#include "vae_dist/infer/output_file.hpp"
#include "vae_dist/infer/units.hpp"

namespace vae_dist {

/// The steps of a walk or interpolation unless said otherwise, and at the most.
inline constexpr std::int64_t kDefaultSteps = 9;
inline constexpr std::int64_t kMostSteps = 10000;

/// Where the latents come from: exactly one of `count`, `latents`, `traverse` and `interpolate`.
struct GenerateOptions {
    std::optional<std::int64_t> count;  ///< so many from the prior
    std::string latents;                ///< "FILE.h5:dataset" (rows, Z)
    bool traverse = false;              ///< each latent dimension in turn from -3 to 3, the others kept
    std::optional<std::array<std::int64_t, 2>>
        interpolate;                    ///< between the posterior means of two rows of data
    std::optional<std::int64_t> steps;  ///< of a traversal of one dimension, or of the interpolation; from 2
    InferenceDataOptions data;          ///< the rows of `interpolate`, and `row`; else empty
    std::optional<std::int64_t> row;    ///< traverse: the others kept at this row's posterior mean, else at 0
    std::vector<std::string> condition;  ///< "NAME=NUMBER": what the samples are conditioned on
    bool draw = false;                   ///< also draw from the likelihood
    std::uint32_t seed = 1;              ///< of the prior's and the likelihood's draws
    Units units = Units::model;
    OutputOptions output;  ///< an empty path: no file
    std::string png;       ///< empty: none
    bool print = false;    ///< the samples on stdout
};

/// Collective. Writes `latent` (N, Z) and `sample` (N, row shape): the decoder's mean or, with `draw`, a draw
/// from the likelihood, with the mean beside it as `mean`. The file is the same to the bit for every number
/// of ranks.
void generate(const TrainedModel& model, const GenerateOptions& options, Communicator& communicator,
              const Log& log);

}  // namespace vae_dist
