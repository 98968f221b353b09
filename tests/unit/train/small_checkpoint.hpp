#pragma once

#include <cmath>
#include <limits>
#include <string>

#include "vae_dist/config/load.hpp"
#include "vae_dist/train/record/checkpoint.hpp"

namespace vae_dist {

/// A configuration as training has it: made-up data, virtual ranks resolved.
inline Config small_config() {
    Config config = parse_config(
        "data: {synthetic: {samples: 40, shape: [6]}}\n"
        "model: {latent_dim: 2, encoder: {hidden: [5]}, decoder: {hidden: [4]}, likelihood: gaussian}\n"
        "train: {batch_size: 8, epochs: 2, seed: 9}\n"
        "output: {directory: runs/small}\n",
        "small.yaml");
    config.train.virtual_ranks = 4;
    return config;
}

/// Made-up contents in every field, numbers that are not finite among them.
inline Checkpoint small_checkpoint(std::int64_t step = 7) {
    Checkpoint checkpoint;
    checkpoint.progress = {
        .step = step,
        .epoch = 1,
        .samples_in_epoch = 16,
        .updates = step - 1,
        .nonfinite_in_a_row = 1,
        .validation_elbo = std::numeric_limits<double>::quiet_NaN(),
        .best_elbo = -101.0 / 3,
        .window = {.sums = {{"iwae_bound", 0}, {"kl", 0.1}, {"reconstruction", -1234.0 / 7}}, .samples = 24}};
    checkpoint.config = small_config();
    checkpoint.created_by = "vae_dist of this test";
    checkpoint.data_rows = 40;
    checkpoint.data_fingerprint = 4000000000;
    checkpoint.row_shape = {2, 3};
    checkpoint.data_type = "float32";
    checkpoint.data_identity.train = {"a.h5 and b.h5", "40 samples of 2 x 3 float32", "40 samples, CRC-32 1"};
    checkpoint.data_identity.validation = {"c.h5", "4 samples of 2 x 3 float32", "4 samples, CRC-32 2"};
    checkpoint.model = {
        {"decoder/output/weight", {2, 3}, {1, -2, 3e-39F, std::nanf(""), 5, -0.0F}},
        {"encoder/0/bias", {1}, {std::numeric_limits<float>::infinity()}},
    };
    checkpoint.optimizer = {{"first_moment", checkpoint.model}, {"second_moment", checkpoint.model}};
    checkpoint.optimizer[1].second[1].values[0] = 0.25F;
    checkpoint.statistics =
        FeatureStatistics{.mean = {1.7e9 + 0.1, 1e-40, 3}, .deviation = {1.0 / 3, 1, 2e40}, .rows = 40};
    return checkpoint;
}

/// What comes back from its file.
inline Checkpoint without_directory(Checkpoint checkpoint) {
    checkpoint.config.output.directory.clear();
    return checkpoint;
}

}  // namespace vae_dist
