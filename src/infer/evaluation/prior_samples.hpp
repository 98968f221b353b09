#pragma once

#include <cstdint>
#include <vector>

#include "vae_dist/model/vae.hpp"

namespace vae_dist {

/// n samples of the model (n, D), host memory: sample i from the latent that (seed, Purpose::prior) has for
/// the sample i, as `generate` makes them, and the conditions (n, C) of the sample i; means of p(x|z), or
/// draws from it. Decodes `decoder_rows` at a time, which must be reserved.
std::vector<float> prior_samples(Vae& vae, Backend& backend, std::int64_t latent_dim, std::int64_t n,
                                 std::uint32_t seed, bool means, std::int64_t decoder_rows,
                                 const std::vector<std::vector<float>>& conditions);

}  // namespace vae_dist
