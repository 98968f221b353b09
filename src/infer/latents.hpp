#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>

#include "vae_dist/infer/generate.hpp"

namespace vae_dist {

/// The latents that samples are made of.
struct Latents {
    std::string kind;                       ///< "prior", "latents", "traversal", "interpolation"
    std::int64_t rows = 0;                  ///< N
    std::int64_t row_length = 0;            ///< samples that belong together: steps, or 0
    std::int64_t data_rows = 0;             ///< of options.data, where it was read
    std::optional<double> data_scale = {};  ///< what its numbers were multiplied by
    /// Latents (rows, Z) of a range, on the host; the same on every rank.
    std::function<void(const RowRange& range, std::span<float> to)> fill;
};

/// Throws an input error for options that contradict each other or are out of range.
void check_latent_options(const GenerateOptions& options);

/// Collective. Throws an input error on all ranks for data or latents that cannot be read or have another
/// width, and rows beyond the data. Uses the model.
Latents make_latents(const GenerateOptions& options, const TrainedModel& model, Communicator& communicator,
                     const Log& log);

}  // namespace vae_dist
