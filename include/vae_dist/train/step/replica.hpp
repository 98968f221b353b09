#pragma once

#include <memory>
#include <optional>

#include "vae_dist/backend/backend.hpp"
#include "vae_dist/config/config.hpp"
#include "vae_dist/data/loader/input_pipeline.hpp"
#include "vae_dist/model/vae.hpp"
#include "vae_dist/train/optimizer/optimizer.hpp"

namespace vae_dist {

/// What one rank has of a training run: the model, its optimizer, and the way from file numbers to its input.
/// Every rank's replica has the same bits after every step.
struct Replica {
    /// Serves slices of up to `rows` samples, by as many passes as it takes. Parameters and optimizer state
    /// are zero; see Vae::initialise and restore_replica.
    Replica(const Config& config, const RowSource& data, const InputStatistics& statistics, std::int64_t rows,
            Backend& backend);

    /// The terms of a pass, sums over its samples, until the next pass; no gradients. Input and noise are
    /// those of visit 0.
    const TermValues& evaluate(const Slice& pass, const CounterRandom& noise, std::int64_t draws);

    Backend& backend;
    std::int64_t slice_rows;  ///< samples in the largest slice
    Vae vae;
    Optimizer optimizer;
    InputPipeline input;
};

/// How many samples of a slice of `slice_rows` go through the model at a time: all of them for one draw a
/// sample; of several draws as many as keep a pass to about 16384 rows of the decoder, so that memory stays
/// bounded however many draws there are. The cut is the same on every number of ranks.
std::int64_t rows_a_pass(std::int64_t slice_rows, std::int64_t draws);
/// How many passes that makes of such a slice.
std::int64_t passes_of(std::int64_t slice_rows, std::int64_t draws);

}  // namespace vae_dist
