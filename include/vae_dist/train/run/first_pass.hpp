#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "vae_dist/config/config.hpp"
#include "vae_dist/data/rows/large_values.hpp"
#include "vae_dist/data/rows/row_source.hpp"
#include "vae_dist/train/step/replica.hpp"

namespace vae_dist {

/// The ELBO of a model that is at its start.
struct FirstPass {
    double elbo = 0;  ///< nats per sample, the mean; not finite where some sample's is not
    std::int64_t samples = 0;

    /// Whether training from there most likely diverges in its first steps, or hardly gets on.
    bool is_hopeless(std::int64_t features) const;
};

/// Of at most a batch of rows, spread over the data. Throws the errors of reading.
FirstPass first_pass(const Config& config, std::unique_ptr<RowSource> data, Replica& replica);

/// What to tell the user where the numbers of a dataset, called `key` ("data.train"), are so large that they
/// are hardly meant, or, where there is a first pass over them, that a model with the gaussian likelihood
/// cannot be trained on them. Else empty.
std::string doubt_about_size(const Config& config, const char* key, const RowSource& data,
                             const LargeValues& large, const std::optional<FirstPass>& first_pass);

/// Why a step's loss or gradients were not finite, and what to do: `large` are those of its batch, `updates`
/// how many there were before.
std::string advise_on_divergence(const Config& config, const RowSource& data, const LargeValues& large,
                                 std::int64_t updates);

}  // namespace vae_dist
