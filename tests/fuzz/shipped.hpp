#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>

#include "fuzz/fuzz.hpp"

namespace vae_dist::fuzz {

/// The texts of configs/, and one with every key.
inline std::vector<Bytes> shipped_configurations() {
    std::vector<Bytes> texts;
    for (const auto& entry : std::filesystem::directory_iterator(VAE_DIST_CONFIGS)) {
        if (entry.path().extension() != ".yaml") continue;
        std::ifstream file(entry.path());
        texts.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
    }
    texts.push_back(
        bytes_of("data:\n"
                 "  train: {files: [a.h5, 'b*.h5'], dataset: train/x}\n"
                 "  validation: {files: [c.h5], dataset: test/x}\n"
                 "  scale: 0.5\n  transform: standardize\n  shuffle: false\n  cache: stream\n"
                 "model: {latent_dim: 2, encoder: {hidden: [5, 6]}, decoder: {hidden: []}, activation: gelu, "
                 "likelihood: gaussian}\n"
                 "objective: {beta: 0.5, kl_warmup_steps: 10, free_bits: 1e-2, importance_samples: 3}\n"
                 "optimizer: {name: adamw, learning_rate: 1e-3, weight_decay: .1, schedule: {name: cosine, "
                 "warmup_steps: 5}}\n"
                 "train: {steps: 100, batch_size: 8, virtual_ranks: 4, time_limit: 1h30m, seed: 0x10}\n"
                 "output: {directory: runs/x, keep: 2}\n"));
    return texts;
}

}  // namespace vae_dist::fuzz
