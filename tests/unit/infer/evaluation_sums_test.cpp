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
        figures.terms.insert(figures.terms.end(), {value - 1, 0.5, 1.5, 40});
        figures.rows.push_back({.log_likelihood = value,
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
    EvaluationSums sums({{"reconstruction", 0}, {"kl/1", 0}, {"kl/2", 0}, {"other", 0}}, 2);
    for (const RangeFigures& range : ranges)
        sums.add(range);
    Evaluation evaluation;
    sums.fill(evaluation, 10, {.cross_entropy = with_cross_entropy, .kl_per_dimension = true});
    return evaluation;
}

TEST(EvaluationSums, AreMeansAndErrorsOverTheRowsOfAllRanges) {
    const Evaluation found =
        evaluation_of({range_of({-10, -14}, {{1, 2}, {0.1, 0.2}}), range_of({-12}, {{3}, {0.3}})}, true);
    EXPECT_DOUBLE_EQ(found.log_likelihood.mean, -12);
    EXPECT_DOUBLE_EQ(found.log_likelihood.standard_error, 2 / std::sqrt(3.0));
    std::vector<std::string> names;
    std::vector<double> means;
    for (const TermMean& term : found.terms) {
        names.push_back(term.name);
        means.push_back(term.value.mean);
    }
    EXPECT_EQ(names, (std::vector<std::string>{"reconstruction", "kl/1", "kl/2", "other"}));
    EXPECT_EQ(means, (std::vector<double>{-13, 0.5, 1.5, 40}));
    EXPECT_NEAR(found.terms[1].value.standard_error, 0, 1e-15);
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
