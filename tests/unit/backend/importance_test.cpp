#include <algorithm>
#include <cmath>
#include <limits>

#include "backend_suite.hpp"

namespace vae_dist {
namespace {

constexpr std::int64_t kDraws = 4;

// log sum exp by its definition, in double.
double log_of_sum(const std::vector<double>& terms) {
    const double largest = *std::max_element(terms.begin(), terms.end());
    double sum = 0;
    for (const double term : terms)
        sum += std::exp(term - largest);
    return largest + std::log(sum);
}

TEST_P(BackendTest, LogPriorRatioIsThatOfTheDensities) {
    for_shapes([&](std::int64_t rows, std::int64_t latents, MemoryPlace place) {
        const auto mean = normal_values(rows * latents, 2);
        const auto s = normal_values(rows * latents, 1);
        const auto numbers = row_numbers(rows);
        const Tensor posterior(backend(), rows, 2 * latents, side_by_side(mean, s, latents), place);
        const Tensor e_tensor(backend(), rows * kDraws, latents, place);
        const Tensor z_tensor(backend(), rows * kDraws, latents, place);
        const Tensor ratio(backend(), rows * kDraws, 1);
        run_operation(backend(), PosteriorDraw{}, {posterior.view()},
                      {e_tensor.view(), z_tensor.view(), Operand(), ratio.view()},
                      {.rows = rows, .draws = kDraws, .row_numbers = numbers});
        const std::vector<float> e = e_tensor.get();
        const std::vector<float> z = z_tensor.get();
        std::vector<double> expected(static_cast<std::size_t>(rows * kDraws));
        const auto width = static_cast<std::size_t>(latents);
        for (std::size_t i = 0; i < e.size(); ++i) {
            const double log_variance = s[i / width / kDraws * width + i % width];
            const double log_prior = -0.5 * z[i] * static_cast<double>(z[i]);
            const double log_posterior = -0.5 * (e[i] * static_cast<double>(e[i]) + log_variance);
            expected[i / width] += log_prior - log_posterior;
        }
        expect_near(ratio.get(), expected, 2e-6);
    });
}

TEST_P(BackendTest, ImportanceWeightsAreNormalisedAndTheBoundIsTheLogOfTheirMean) {
    constexpr std::int64_t kSamples = 3;
    constexpr double kBeta = 0.3;
    for (const float spread : {1.0F, 300.0F}) {  // exp(300) exceeds a float
        const auto likelihood = normal_values(kSamples * kDraws, 1, spread);
        const auto ratio = normal_values(kSamples * kDraws, 2, spread);
        const Tensor likelihood_tensor(backend(), kSamples * kDraws, 1, likelihood);
        const Tensor ratio_tensor(backend(), kSamples * kDraws, 1, ratio);
        const Tensor weights(backend(), kSamples * kDraws, 1);
        const Tensor bound(backend(), kSamples, 1);
        run_operation(backend(), ImportanceWeights{}, {likelihood_tensor.view(), ratio_tensor.view()},
                      {weights.view(), bound.view()},
                      {.rows = kSamples, .draws = kDraws, .sample_weight = 0.25, .beta = kBeta});
        std::vector<double> expected_weights;
        std::vector<double> expected_bound;
        for (std::size_t b = 0; b < kSamples; ++b) {
            std::vector<double> plain;
            std::vector<double> tempered;
            for (std::size_t i = b * kDraws; i < (b + 1) * kDraws; ++i) {
                plain.push_back(static_cast<double>(likelihood[i]) + ratio[i]);
                tempered.push_back(likelihood[i] + static_cast<float>(kBeta) * static_cast<double>(ratio[i]));
            }
            expected_bound.push_back(log_of_sum(plain) - std::log(kDraws));
            for (const double term : tempered)
                expected_weights.push_back(0.25 * std::exp(term - log_of_sum(tempered)));
        }
        expect_near(bound.get(), expected_bound, 1e-6);
        expect_near(weights.get(), expected_weights, 1e-6);
    }
}

TEST_P(BackendTest, ImportanceWeightsOfNotANumberAreNotANumber) {
    const Tensor likelihood(backend(), 4, 1, {-1, std::numeric_limits<float>::quiet_NaN(), -1, -2});
    const Tensor ratio(backend(), 4, 1, {0, 0, 0, 0});
    const Tensor weights(backend(), 4, 1);
    const Tensor bound(backend(), 2, 1);
    run_operation(backend(), ImportanceWeights{}, {likelihood.view(), ratio.view()},
                  {weights.view(), bound.view()}, {.rows = 2, .draws = 2});
    EXPECT_TRUE(std::isnan(bound.get()[0]));
    EXPECT_TRUE(std::isnan(weights.get()[0]));
    EXPECT_TRUE(std::isfinite(bound.get()[1]));
}

// The gradients of  sum_k (dlatent_k z_k - beta weights_k log_ratio_k)  by finite differences.
TEST_P(BackendTest, ImportanceBackwardIsTheDerivative) {
    constexpr float kBeta = 0.7F;
    for_shapes([&](std::int64_t rows, std::int64_t latents, MemoryPlace place) {
        const auto mean = normal_values(rows * latents, 1);
        const auto s = normal_values(rows * latents, 2);
        const auto e = normal_values(rows * kDraws * latents, 3);
        const auto d = normal_values(rows * kDraws * latents, 4);
        const auto weights = unit_values(rows * kDraws, 5);
        const auto width = static_cast<std::size_t>(latents);
        const auto sample_of = [&](std::size_t i) { return i / width / kDraws * width + i % width; };
        std::vector<float> z;
        for (std::size_t i = 0; i < e.size(); ++i)
            z.push_back(mean[sample_of(i)] + std::exp(0.5F * s[sample_of(i)]) * e[i]);
        const Tensor posterior(backend(), rows, 2 * latents, side_by_side(mean, s, latents), place);
        const Tensor e_tensor(backend(), rows * kDraws, latents, e, place);
        const Tensor z_tensor(backend(), rows * kDraws, latents, z, place);
        const Tensor d_tensor(backend(), rows * kDraws, latents, d, place);
        const Tensor weights_tensor(backend(), rows * kDraws, 1, weights);
        const Tensor gradient(backend(), rows, 2 * latents, place);
        run_operation(
            backend(), ImportanceGradient{},
            {posterior.view(), e_tensor.view(), z_tensor.view(), d_tensor.view(), weights_tensor.view()},
            {gradient.view()}, {.rows = rows, .draws = kDraws, .beta = kBeta});
        std::vector<double> expected_mean(mean.size());
        std::vector<double> expected_s(mean.size());
        for (std::size_t i = 0; i < e.size(); ++i) {
            const auto loss = [&](double m, double v) {
                const double latent = m + std::exp(0.5 * v) * e[i];
                const double log_ratio = 0.5 * (v + e[i] * static_cast<double>(e[i]) - latent * latent);
                return d[i] * latent - static_cast<double>(kBeta) * weights[i / width] * log_ratio;
            };
            const double h = 1e-6;
            const double m = mean[sample_of(i)];
            const double v = s[sample_of(i)];
            expected_mean[sample_of(i)] += (loss(m + h, v) - loss(m - h, v)) / (2 * h);
            expected_s[sample_of(i)] += (loss(m, v + h) - loss(m, v - h)) / (2 * h);
        }
        expect_near(gradient.get(), side_by_side(expected_mean, expected_s, latents), 1e-5);
    });
}

TEST_P(BackendTest, ImportanceDoesNotDependOnWhereAMatrixLies) {
    const std::int64_t rows = 2;
    const std::int64_t latents = 37;
    const std::int64_t drawn = rows * kDraws;
    expect_same_bits_everywhere([&](std::int64_t offset) {
        const MemoryPlace place{offset % 3 == 0 ? 5 : 0, offset};
        const Tensor posterior(backend(), rows, 2 * latents, normal_values(2 * rows * latents, 1), place);
        const Tensor e(backend(), drawn, latents, normal_values(drawn * latents, 2), place);
        const Tensor z(backend(), drawn, latents, normal_values(drawn * latents, 3), place);
        const Tensor weights(backend(), drawn, 1, unit_values(drawn, 4), {0, offset});
        const Tensor gradient(backend(), rows, 2 * latents, place);
        run_operation(backend(), ImportanceGradient{},
                      {posterior.view(), e.view(), z.view(), e.view(), weights.view()}, {gradient.view()},
                      {.rows = rows, .draws = kDraws});
        return gradient.get();
    });
}

}  // namespace
}  // namespace vae_dist
