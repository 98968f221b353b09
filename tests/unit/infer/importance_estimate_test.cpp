#include "infer/evaluation/importance_estimate.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace vae_dist {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Of draws with these log weights.
ImportanceEstimate estimate_of(const std::vector<double>& log_weights) {
    ImportanceEstimate estimate;
    for (const double log_weight : log_weights)
        EXPECT_TRUE(estimate.add(log_weight + 3, -3));
    return estimate;
}

TEST(ImportanceEstimate, IsTheFormula) {
    const std::vector<double> log_weights = {0.5, -1, 2, 1.5, -4};
    double sum = 0;
    double squares = 0;
    for (const double w : log_weights) {
        sum += std::exp(w);
        squares += std::exp(2 * w);
    }
    const double mean = sum / 5;
    const double variance = (squares - 5 * mean * mean) / 4;
    const ImportanceEstimate estimate = estimate_of(log_weights);
    EXPECT_NEAR(estimate.log_mean_weight(), std::log(mean), 1e-14);
    EXPECT_NEAR(estimate.effective_draws(), sum * sum / squares, 1e-13);
    EXPECT_NEAR(estimate.monte_carlo_variance(), variance / 5 / (mean * mean), 1e-14);
}

TEST(ImportanceEstimate, NeitherOverflowsNorVanishesHoweverLargeTheWeightsAre) {
    for (const double shift : {-1e5, -800.0, 0.0, 800.0, 1e5}) {
        const ImportanceEstimate estimate = estimate_of({shift, shift + std::log(3), shift + std::log(2)});
        EXPECT_NEAR(estimate.log_mean_weight(), shift + std::log(2), 1e-10);
        EXPECT_NEAR(estimate.effective_draws(), 36.0 / 14, 1e-9);
    }
}

TEST(ImportanceEstimate, DoesNotDependOnTheOrderOfTheDraws) {
    EXPECT_NEAR(estimate_of({-700, 3, 900, 899}).log_mean_weight(),
                estimate_of({900, 899, 3, -700}).log_mean_weight(), 1e-10);
}

TEST(ImportanceEstimate, OfEqualWeightsHasNoError) {
    const ImportanceEstimate estimate = estimate_of({-50, -50, -50, -50});
    EXPECT_DOUBLE_EQ(estimate.log_mean_weight(), -50);
    EXPECT_DOUBLE_EQ(estimate.effective_draws(), 4);
    EXPECT_DOUBLE_EQ(estimate.monte_carlo_variance(), 0);
}

TEST(ImportanceEstimate, OfAllButEqualWeightsHasAnErrorThatIsANumber) {
    for (int seed = 0; seed < 50; ++seed) {
        std::vector<double> log_weights;
        for (int k = 0; k < 500; ++k)
            log_weights.push_back(-90 + 1e-8 * ((k * 7919 + seed * 104729) % 1000) / 1000);
        const ImportanceEstimate estimate = estimate_of(log_weights);
        EXPECT_LE(estimate.effective_draws(), 500);
        EXPECT_GE(estimate.monte_carlo_variance(), 0);
        EXPECT_LT(estimate.monte_carlo_variance(), 1e-12);
    }
}

TEST(ImportanceEstimate, OfOneDrawIsThatDrawAndOfUnknownError) {
    const ImportanceEstimate estimate = estimate_of({-7});
    EXPECT_DOUBLE_EQ(estimate.log_mean_weight(), -7);
    EXPECT_TRUE(std::isnan(estimate.monte_carlo_variance()));
}

TEST(ImportanceEstimate, TakesMinusInfinityAsAWeightOfZero) {
    EXPECT_NEAR(estimate_of({-kInfinity, 2, -kInfinity, 2}).log_mean_weight(), 2 - std::log(2), 1e-15);
    EXPECT_EQ(estimate_of({-kInfinity, -kInfinity}).log_mean_weight(), -kInfinity);
}

TEST(ImportanceEstimate, RefusesWeightsThatAreNoNumbersOrInfinite) {
    ImportanceEstimate estimate;
    EXPECT_FALSE(estimate.add(std::nan(""), 0));
    EXPECT_FALSE(estimate.add(-kInfinity, kInfinity));
    EXPECT_FALSE(estimate.add(0, kInfinity));
}

}  // namespace
}  // namespace vae_dist
