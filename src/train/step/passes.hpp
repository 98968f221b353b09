#pragma once

#include <cstdint>

#include "vae_dist/config/config.hpp"
#include "vae_dist/data/loader/batch_loader.hpp"
#include "vae_dist/train/step/replica.hpp"

namespace vae_dist {

/// How many passes make up the slices of a batch of so many virtual ranks, at the most.
inline std::int64_t most_passes(const Config& config, const Replica& replica, std::int64_t virtual_ranks) {
    return virtual_ranks * passes_of(replica.slice_rows, config.objective.importance_samples);
}
inline std::int64_t most_passes(const Config& config, const Replica& replica) {
    return most_passes(config, replica, config.train.virtual_ranks.value());
}

/// What one pass of a batch goes through the model with.
inline VaeInput input_of(const Config& config, const Batch& batch, const Slice& part,
                         InputPipeline& pipeline) {
    const ModelInput input = pipeline.load(part, static_cast<std::uint32_t>(batch.epoch));
    return {.x = input.x,
            .rows = part.rows,
            .noise = CounterRandom(config.train.seed, Purpose::posterior_noise),
            .visit = static_cast<std::uint32_t>(batch.epoch),
            .draws = config.objective.importance_samples,
            .conditions = input.conditions};
}

inline ObjectiveWeights weights_of(const Config& config, const Batch& batch, double beta) {
    return {.sample_weight = 1.0 / static_cast<double>(batch.samples),
            .beta = beta,
            .free_bits = config.objective.free_bits};
}

}  // namespace vae_dist
