#pragma once

#include <cstdint>
#include <vector>

#include "infer/evaluation/range_figures.hpp"
#include "vae_dist/config/config.hpp"
#include "vae_dist/infer/evaluate.hpp"

namespace vae_dist {

/// All ranges' figures taken together. The last bits depend on the order of the ranges, which is therefore
/// always the same.
class EvaluationSums {
 public:
    explicit EvaluationSums(std::int64_t latent_dim) : latents_(static_cast<std::size_t>(latent_dim)) {}

    void add(const RangeFigures& figures);

    /// Fills all that is a mean over rows, of data of D = `features` numbers.
    void fill(Evaluation& evaluation, std::int64_t features, bool with_cross_entropy) const;

 private:
    Moments elbo_;
    Moments reconstruction_;
    Moments kl_;
    Moments log_likelihood_;
    Moments squared_error_;
    Moments cross_entropy_;
    double monte_carlo_variance_ = 0;
    double effective_draws_ = 0;
    std::vector<LatentFigures> latents_;  ///< (Z)
};

}  // namespace vae_dist
