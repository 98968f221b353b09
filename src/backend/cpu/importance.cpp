#include <algorithm>
#include <cmath>
#include <vector>

#include "backend/cpu/blocks.hpp"
#include "backend/cpu/cpu_backend.hpp"
#include "backend/values.hpp"
#include "vae_dist/core/error.hpp"
#include "vae_dist/pointwise/posterior.hpp"

namespace vae_dist {

namespace {

// exp(x - largest) of each, and log of their mean. NaN where one is NaN, or all are -infinity.
double exponentials(std::vector<double>& x) {
    const double largest = *std::max_element(x.begin(), x.end());
    double sum = 0;
    for (double& value : x) {
        value = std::exp(value - largest);
        sum += value;
    }
    return largest + std::log(sum / static_cast<double>(x.size()));
}

}  // namespace

void CpuBackend::compute(const ImportanceWeights&, const Arguments& with) {
    const std::span<const float> log_likelihood = column(with.inputs[0]);
    const std::span<const float> log_ratio = column(with.inputs[1]);
    float* const weights = with.outputs[0].floats().data;
    float* const bound = with.outputs[1].floats().data;
    const std::int64_t draws = with.pass.draws;
    const auto beta = static_cast<float>(with.pass.beta);
    const auto sample_weight = static_cast<float>(with.pass.sample_weight);
    require(draws > 0 && log_likelihood.size() == log_ratio.size(), "every draw has both its terms");
    const auto k = static_cast<std::size_t>(draws);
    terms_.resize(k);
    std::vector<double>& terms = terms_;
    for (std::size_t b = 0; b < log_likelihood.size() / k; ++b) {
        const std::span<const float> likelihood = log_likelihood.subspan(b * k, k);
        const std::span<const float> ratio = log_ratio.subspan(b * k, k);
        const auto fill_terms = [&](double factor) {
            std::ranges::transform(likelihood, ratio, terms.begin(),
                                   [&](double l, double r) { return l + factor * r; });
        };
        fill_terms(1);
        bound[b] = static_cast<float>(exponentials(terms));
        fill_terms(beta);
        exponentials(terms);
        double sum = 0;
        for (const double term : terms)
            sum += term;
        for (std::size_t i = 0; i < k; ++i)
            weights[b * k + i] = static_cast<float>(sample_weight * terms[i] / sum);
    }
}

void CpuBackend::compute(const ImportanceGradient& gradient_of, const Arguments& with) {
    const ConstFloatMatrix log_variance = PosteriorHalves(with.inputs[0].floats()).log_variance;
    const ConstFloatMatrix epsilon = with.inputs[1].floats();
    const ConstFloatMatrix latent = with.inputs[2].floats();
    const ConstFloatMatrix dlatent = with.inputs[3].floats();
    const float* const weights = with.inputs[4].floats().data;
    const PosteriorHalves gradient(with.outputs[0].floats());
    const auto beta = static_cast<float>(with.pass.beta);
    const float prior_beta = gradient_of.standard_normal_prior ? beta : 0;
    const std::int64_t draws = with.pass.draws;
    const auto row_backward = [&](std::int64_t b, std::int64_t first, auto count) {
        Block by_mean = Block::Zero();
        Block by_deviation = Block::Zero();
        float weight = 0;
        for (std::int64_t r = b * draws; r < (b + 1) * draws; ++r) {
            const Block by_latent =
                weighed_latent_derivative(load(dlatent.row(r) + first, count),
                                          load(latent.row(r) + first, count), prior_beta * weights[r]);
            by_mean += by_latent;
            by_deviation += by_latent * load(epsilon.row(r) + first, count);
            weight += weights[r];
        }
        store(by_mean, gradient.mean.row(b) + first, count);
        store(weighed_log_variance_derivative(load(log_variance.row(b) + first, count), by_deviation,
                                              beta * weight),
              gradient.log_variance.row(b) + first, count);
    };
    const std::int64_t grain = row_grain(draws * log_variance.columns);
    threads_.split(log_variance.rows, grain, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t b = begin; b < end; ++b) {
            for_blocks(log_variance.columns,
                       [&](std::int64_t first, auto count) { row_backward(b, first, count); });
        }
    });
}

}  // namespace vae_dist
