#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "infer/evaluation/statistics.hpp"

namespace vae_dist {

/// What one row adds to an evaluation; in nats. Trivially copyable.
struct RowFigures {
    double log_likelihood = 0;        ///< log p(x)
    double monte_carlo_variance = 0;  ///< of log_likelihood; NaN for one draw
    double effective_draws = 0;
    double squared_error = 0;  ///< mean over the features
    double cross_entropy = 0;  ///< bernoulli only, else 0
};

/// What one latent dimension adds, summed over a range of rows. Trivially copyable.
struct LatentFigures {
    double kl = 0;  ///< sum over the rows, where the divergence has a closed form
    Moments mean;   ///< of the posterior's mean
};

/// What a range of B rows adds to an evaluation: a result small enough to be sent.
struct RangeFigures {
    std::vector<RowFigures> rows;        ///< (B)
    std::vector<double> terms;           ///< (B, T), the model's terms of each row
    std::vector<LatentFigures> latents;  ///< (Z)
    std::vector<float> picked;  ///< (picked rows, D + C): those that stand for the data, and their conditions

    std::vector<std::byte> to_bytes() const;
    /// Of `rows` rows of T terms; throws ErrorKind::bug where the length is impossible.
    static RangeFigures from_bytes(std::span<const std::byte> bytes, std::size_t rows, std::size_t terms,
                                   std::size_t latent_dim);
};

}  // namespace vae_dist
