#include "infer/evaluation/range_evaluator.hpp"

#include <algorithm>

#include "infer/host_copy.hpp"
#include "vae_dist/core/error.hpp"
#include "vae_dist/pointwise/posterior.hpp"

namespace vae_dist {

RangeEvaluator::RangeEvaluator(Vae& vae, Backend& backend, const ModelConfig& config,
                               const RangeEvaluatorOptions& options)
    : vae_(vae),
      backend_(backend),
      config_(config),
      options_(options),
      terms_(vae.terms(1)),
      draws_reserved_(std::clamp<std::int64_t>(
          (options.decoder_rows + options.most_rows - 1) / options.most_rows, 1, options.draws)) {
    vae.reserve_inference(options.most_rows, draws_reserved_);
}

RangeFigures RangeEvaluator::evaluate(const InferenceData::Samples& samples) {
    const std::span<const std::int64_t> rows = samples.rows;
    require(std::ssize(rows) == samples.x.rows && samples.x.rows <= options_.most_rows,
            "a range fits what is reserved");
    RangeFigures figures;
    figures.rows.resize(rows.size());
    figures.terms.resize(rows.size() * terms_.names().size());
    figures.latents.resize(static_cast<std::size_t>(config_.latent_dim));
    const Posterior posterior = vae_.encode(samples.x, samples.conditions);
    add_reconstruction(samples, posterior, figures);
    add_draws(samples, posterior, figures);
    add_posterior(posterior, figures);
    return figures;
}

void RangeEvaluator::add_posterior(const Posterior& posterior, RangeFigures& figures) {
    const std::vector<float> mean = to_host(backend_, posterior.mean);                  // (B, Z)
    const std::vector<float> log_variance = to_host(backend_, posterior.log_variance);  // (B, Z)
    const bool closed_form = vae_.prior().is_standard_normal();
    std::size_t i = 0;
    for (std::size_t r = 0; r < figures.rows.size(); ++r) {
        double row_kl = 0;
        for (LatentFigures& latent : figures.latents) {
            latent.mean.add(mean[i]);
            if (closed_form) {
                const double kl = kl_of<double>(mean[i], log_variance[i]);
                row_kl += kl;
                latent.kl += kl;
            }
            ++i;
        }
        if (closed_form) figures.terms[r * terms_.names().size() + terms_.place("kl")] = row_kl;
    }
}

void RangeEvaluator::add_reconstruction(const InferenceData::Samples& samples, const Posterior& posterior,
                                        RangeFigures& figures) {
    const ConstFloatMatrix x = samples.x;
    const FloatMatrix output = vae_.decode(posterior.mean, samples.conditions);
    if (vae_.likelihood().mean_is_probability()) {
        const std::vector<float> log_likelihood = to_host(backend_, vae_.log_likelihood(output, x));  // (B)
        for (std::size_t r = 0; r < log_likelihood.size(); ++r)
            figures.rows[r].cross_entropy = -static_cast<double>(log_likelihood[r]);
    }
    const std::vector<float> data = to_host(backend_, x);                     // (B, D)
    const std::vector<float> mean = to_host(backend_, vae_.to_mean(output));  // (B, D)
    std::size_t i = 0;
    for (RowFigures& row : figures.rows) {
        for (std::int64_t d = 0; d < x.columns; ++d, ++i) {
            const double difference = static_cast<double>(data[i]) - static_cast<double>(mean[i]);
            row.squared_error += difference * difference;
        }
        row.squared_error /= static_cast<double>(x.columns);
    }
}

void RangeEvaluator::add_draws(const InferenceData::Samples& samples, const Posterior& posterior,
                               RangeFigures& figures) {
    const ConstFloatMatrix x = samples.x;
    const std::span<const std::int64_t> rows = samples.rows;
    std::vector<ImportanceEstimate> estimates(rows.size());
    const std::int64_t block = std::max<std::int64_t>(1, options_.decoder_rows / x.rows);
    for (std::int64_t first = 0; first < options_.draws; first += block) {
        const std::int64_t count = std::min(block, options_.draws - first);
        const DrawTerms terms =
            vae_.weigh_draws(x, posterior,
                             {.random = CounterRandom(options_.seed, Purpose::validation_noise),
                              .visit = 0,
                              .rows = rows,
                              .first = first,
                              .count = count},
                             samples.conditions);
        const std::vector<float> log_likelihood = to_host(backend_, terms.log_likelihood);  // (B count)
        const std::vector<float> log_ratio = to_host(backend_, terms.log_ratio);            // (B count)
        for (std::size_t i = 0; i < log_likelihood.size(); ++i) {
            const std::size_t r = i / static_cast<std::size_t>(count);
            if (!estimates[r].add(log_likelihood[i], log_ratio[i])) {
                throw_failure(
                    "the model is not finite for row {} of the data: log p(x|z) = {}, log p(z)/q(z|x) = {} "
                    "in draw {}",
                    rows[r], log_likelihood[i], log_ratio[i], first + static_cast<std::int64_t>(i) % count);
            }
        }
        add_terms(terms, count, figures);
    }
    for (double& term : figures.terms)
        term /= static_cast<double>(options_.draws);
    for (std::size_t r = 0; r < rows.size(); ++r) {
        RowFigures& row = figures.rows[r];
        row.log_likelihood = estimates[r].log_mean_weight();
        row.monte_carlo_variance = estimates[r].monte_carlo_variance();
        row.effective_draws = estimates[r].effective_draws();
    }
}

void RangeEvaluator::add_terms(const DrawTerms& draws, std::int64_t count, RangeFigures& figures) {
    const std::size_t terms = terms_.names().size();
    const std::size_t rows = figures.rows.size();
    require(draws.terms.size() == terms, "draws have the model's terms");
    for (std::size_t t = 0; t < terms; ++t) {
        const std::vector<float> values = to_host(backend_, draws.terms[t].values);  // (B count) or (B)
        const std::size_t a_row = values.size() / rows;
        const double weight = a_row == 1 ? static_cast<double>(count) : 1;
        for (std::size_t i = 0; i < values.size(); ++i)
            figures.terms[i / a_row * terms + t] += weight * static_cast<double>(values[i]);
    }
}

}  // namespace vae_dist
