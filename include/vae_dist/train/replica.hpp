#pragma once

#include <memory>
#include <optional>

#include "vae_dist/backend/backend.hpp"
#include "vae_dist/config/config.hpp"
#include "vae_dist/data/input_pipeline.hpp"
#include "vae_dist/model/vae.hpp"
#include "vae_dist/train/optimizer.hpp"

namespace vae_dist {

/// What one rank has of a training run: the model, its optimizer, and the way from file numbers to its input.
/// Every rank's replica has the same bits after every step.
struct Replica {
    /// Serves slices of up to `rows` samples. Parameters and optimizer state are zero; see Vae::initialise
    /// and restore_replica.
    Replica(const Config& config, const RowSource& data, const std::optional<FeatureStatistics>& statistics,
            std::int64_t rows, Backend& backend);

    Backend& backend;
    Vae vae;
    std::unique_ptr<Optimizer> optimizer;
    InputPipeline input;
};

}  // namespace vae_dist
