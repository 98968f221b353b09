#include "infer/evaluation/evaluation_sums.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace vae_dist {

namespace {

MeanOverRows mean_over_rows(const Moments& moments) {
    return {.mean = moments.mean(), .standard_error = moments.standard_error()};
}

}  // namespace

EvaluationSums::EvaluationSums(TermValues terms, std::int64_t latent_dim)
    : of_row_(std::move(terms)),
      terms_(of_row_.values().size()),
      latents_(static_cast<std::size_t>(latent_dim)) {}

void EvaluationSums::add(const RangeFigures& figures) {
    auto term = figures.terms.begin();
    for (const RowFigures& row : figures.rows) {
        for (std::size_t i = 0; i < terms_.size(); ++i) {
            of_row_.values()[i] = *term;
            terms_[i].add(*term++);
        }
        elbo_.add(of_row_.elbo());
        log_likelihood_.add(row.log_likelihood);
        squared_error_.add(row.squared_error);
        cross_entropy_.add(row.cross_entropy);
        monte_carlo_variance_ += row.monte_carlo_variance;
        effective_draws_ += row.effective_draws;
    }
    for (std::size_t z = 0; z < latents_.size(); ++z) {
        latents_[z].kl += figures.latents[z].kl;
        latents_[z].mean.merge(figures.latents[z].mean);
    }
}

void EvaluationSums::fill(Evaluation& evaluation, std::int64_t features, const Has& has) const {
    const auto rows = static_cast<double>(elbo_.count);
    evaluation.elbo = mean_over_rows(elbo_);
    for (std::size_t i = 0; i < terms_.size(); ++i)
        evaluation.terms.push_back({of_row_.names()[i], mean_over_rows(terms_[i])});
    evaluation.log_likelihood = mean_over_rows(log_likelihood_);
    evaluation.monte_carlo_error = std::sqrt(monte_carlo_variance_) / rows;
    evaluation.effective_draws = effective_draws_ / rows;
    evaluation.bits_per_dimension =
        -evaluation.log_likelihood.mean / (static_cast<double>(features) * std::numbers::ln2);
    for (const LatentFigures& latent : latents_) {
        evaluation.mean_variance.push_back(latent.mean.variance());
        if (has.kl_per_dimension) evaluation.kl_per_dimension.push_back(latent.kl / rows);
    }
    if (elbo_.count > 1) {
        evaluation.active_units = std::ranges::count_if(
            evaluation.mean_variance, [](double variance) { return variance > kActiveVariance; });
    }
    evaluation.mse = mean_over_rows(squared_error_);
    if (has.cross_entropy) evaluation.cross_entropy = mean_over_rows(cross_entropy_);
}

}  // namespace vae_dist
