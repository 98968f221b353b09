#include "infer/evaluation/statistics.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace vae_dist {
namespace {

Moments moments_of(const std::vector<double>& values) {
    Moments moments;
    for (const double value : values)
        moments.add(value);
    return moments;
}

TEST(Moments, AreThoseOfTheTextbook) {
    const Moments moments = moments_of({2, 4, 4, 4, 5, 5, 7, 9});
    EXPECT_EQ(moments.count, 8);
    EXPECT_DOUBLE_EQ(moments.mean(), 5);
    EXPECT_DOUBLE_EQ(moments.variance(), 4);
    EXPECT_DOUBLE_EQ(moments.standard_error(), std::sqrt(32.0 / 7 / 8));
}

TEST(Moments, MergedInPartsAreThoseOfTheWhole) {
    Moments merged;
    merged.merge(Moments());
    merged.merge(moments_of({1, -3, 12}));
    merged.merge(Moments());
    merged.merge(moments_of({5}));
    merged.merge(moments_of({0.25, 8}));
    const Moments whole = moments_of({1, -3, 12, 5, 0.25, 8});
    EXPECT_EQ(merged.count, whole.count);
    EXPECT_DOUBLE_EQ(merged.mean(), whole.mean());
    EXPECT_DOUBLE_EQ(merged.variance(), whole.variance());
}

TEST(Moments, KeepTheSpreadOfNumbersFarFromZero) {
    EXPECT_NEAR(moments_of({1e9 + 1, 1e9 + 2, 1e9 + 3}).variance(), 2.0 / 3, 1e-6);
}

TEST(Moments, OfOneNumberHaveNeitherVarianceNorStandardError) {
    EXPECT_TRUE(std::isnan(moments_of({3}).variance()));
    EXPECT_TRUE(std::isnan(moments_of({3}).standard_error()));
}

TEST(Moments, KeepMinusInfinityAsTheMean) {
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    EXPECT_EQ(moments_of({1, -kInfinity, 2, 3}).mean(), -kInfinity);
}

}  // namespace
}  // namespace vae_dist
