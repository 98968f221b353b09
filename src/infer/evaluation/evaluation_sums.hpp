#pragma once

#include <cstdint>
#include <vector>

#include "infer/evaluation/range_figures.hpp"
#include "vae_dist/config/config.hpp"
#include "vae_dist/infer/evaluate.hpp"
#include "vae_dist/model/term_values.hpp"

namespace vae_dist {

/// All ranges' figures taken together. The last bits depend on the order of the ranges, which is therefore
/// always the same.
class EvaluationSums {
 public:
    /// Of a model of these terms.
    EvaluationSums(TermValues terms, std::int64_t latent_dim);

    void add(const RangeFigures& figures);

    /// What of an Evaluation some models do not have.
    struct Has {
        bool cross_entropy = false;
        bool kl_per_dimension = false;
    };
    /// Fills all that is a mean over rows, of data of D = `features` numbers.
    void fill(Evaluation& evaluation, std::int64_t features, const Has& has) const;

 private:
    TermValues of_row_;  ///< the one that was added last
    Moments elbo_;
    std::vector<Moments> terms_;
    Moments log_likelihood_;
    Moments squared_error_;
    Moments cross_entropy_;
    double monte_carlo_variance_ = 0;
    double effective_draws_ = 0;
    std::vector<LatentFigures> latents_;  ///< (Z)
};

}  // namespace vae_dist
