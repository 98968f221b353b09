#include "infer/evaluation/evaluation_sums.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numbers>

namespace vae_dist {
namespace {

// Rows of which only some figures matter.
RangeFigures range_of(std::vector<double> log_likelihoods, std::vector<std::vector<double>> means) {
    RangeFigures figures;
    for (const double value : log_likelihoods) {
        figures.rows.push_back({.reconstruction = value - 1,
                                .kl = 2,
                                .log_likelihood = value,
                                .monte_carlo_variance = 0.09,
                                .effective_draws = -value,
                                .squared_error = 0.5,
                                .cross_entropy = 7});
    }
    for (const auto& of_latent : means) {
        LatentFigures latent{.kl = 3, .mean = {}};
        for (const double mean : of_latent)
            latent.mean.add(mean);
        figures.latents.push_back(latent);
    }
    return figures;
}

Evaluation evaluation_of(const std::vector<RangeFigures>& ranges, bool with_cross_entropy) {
    EvaluationSums sums(2);
    for (const RangeFigures& range : ranges)
        sums.add(range);
    Evaluation evaluation;
    sums.fill(evaluation, 10, with_cross_entropy);
    return evaluation;
}

TEST(EvaluationSums, AreMeansAndErrorsOverTheRowsOfAllRanges) {
    const Evaluation found =
        evaluation_of({range_of({-10, -14}, {{1, 2}, {0.1, 0.2}}), range_of({-12}, {{3}, {0.3}})}, true);
    EXPECT_DOUBLE_EQ(found.log_likelihood.mean, -12);
    EXPECT_DOUBLE_EQ(found.log_likelihood.standard_error, 2 / std::sqrt(3.0));
    EXPECT_DOUBLE_EQ(found.reconstruction.mean, -13);
    EXPECT_DOUBLE_EQ(found.kl.mean, 2);
    EXPECT_NEAR(found.kl.standard_error, 0, 1e-15);
    EXPECT_DOUBLE_EQ(found.elbo.mean, -15);
    EXPECT_DOUBLE_EQ(found.monte_carlo_error, std::sqrt(3 * 0.09) / 3);
    EXPECT_DOUBLE_EQ(found.effective_draws, 12);
    EXPECT_DOUBLE_EQ(found.bits_per_dimension, 1.2 / std::numbers::ln2);
    EXPECT_DOUBLE_EQ(found.mse.mean, 0.5);
    EXPECT_DOUBLE_EQ(found.cross_entropy->mean, 7);
}

TEST(EvaluationSums, ALatentDimensionIsActiveWhereItsMeanVariesByMoreThanAHundredth) {
    const Evaluation found = evaluation_of(
        {range_of({-1, -1}, {{1, 1.2}, {0.1, 0.2}}), range_of({-1, -1}, {{1, 1.4}, {0.1, 0.2}})}, true);
    ASSERT_EQ(found.mean_variance.size(), 2U);
    EXPECT_NEAR(found.mean_variance[0], 0.0275, 1e-12);
    EXPECT_NEAR(found.mean_variance[1], 0.0025, 1e-12);
    EXPECT_EQ(found.active_units, 1);
    EXPECT_DOUBLE_EQ(found.kl_per_dimension[0], 1.5);
}

TEST(EvaluationSums, OnlyBernoulliHasACrossEntropy) {
    const std::vector<RangeFigures> ranges = {range_of({-1}, {{1}, {2}})};
    EXPECT_TRUE(evaluation_of(ranges, true).cross_entropy);
    EXPECT_FALSE(evaluation_of(ranges, false).cross_entropy);
}

TEST(EvaluationSums, OneImpossibleRowMakesTheMeanMinusInfinity) {
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    const Evaluation found =
        evaluation_of({range_of({-1, -kInfinity}, {{1, 2}, {1, 2}}), range_of({-1}, {{1}, {2}})}, true);
    EXPECT_EQ(found.log_likelihood.mean, -kInfinity);
    EXPECT_EQ(found.bits_per_dimension, kInfinity);
}

}  // namespace
}  // namespace vae_dist
