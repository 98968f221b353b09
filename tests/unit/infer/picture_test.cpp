#include "vae_dist/infer/picture.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

namespace vae_dist {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

std::vector<std::int64_t> sides(const std::vector<std::int64_t>& row_shape) {
    const auto shape = image_shape(row_shape);
    if (!shape) return {};
    return {shape->height, shape->width, shape->channels};
}

TEST(ImageShape, MatricesAreGreyAndThreeChannelsAreColour) {
    EXPECT_EQ(sides({28, 20}), (std::vector<std::int64_t>{28, 20, 1}));
    EXPECT_EQ(sides({28, 20, 1}), (std::vector<std::int64_t>{28, 20, 1}));
    EXPECT_EQ(sides({32, 16, 3}), (std::vector<std::int64_t>{32, 16, 3}));
    EXPECT_EQ(sides({4096, 1}), (std::vector<std::int64_t>{4096, 1, 1}));
}

TEST(ImageShape, OtherShapesHaveNoPicture) {
    EXPECT_TRUE(sides({}).empty());
    EXPECT_TRUE(sides({784}).empty());
    EXPECT_TRUE(sides({28, 28, 2}).empty());
    EXPECT_TRUE(sides({28, 28, 4}).empty());
    EXPECT_TRUE(sides({3, 32, 32}).empty());
    EXPECT_TRUE(sides({4, 28, 28, 3}).empty());
    EXPECT_TRUE(sides({0, 28}).empty());
    EXPECT_TRUE(sides({28, 0, 3}).empty());
    EXPECT_TRUE(sides({4097, 1}).empty());
    EXPECT_TRUE(sides({1, 4097}).empty());
}

void expect_span(const std::vector<float>& values, float lowest, float highest) {
    const ValueSpan span = span_of(values);
    EXPECT_EQ(span.lowest, lowest);
    EXPECT_EQ(span.highest, highest);
}

TEST(SpanOf, IsTheLeastAndTheGreatestFiniteNumber) {
    expect_span({2, -3, 7, 1}, -3, 7);
    expect_span({-5, -2}, -5, -2);
    expect_span({kNan, 4, kInfinity, 9, -kInfinity, kNan}, 4, 9);
}

TEST(SpanOf, WhereNumbersDoNotDifferItIsZeroToOne) {
    expect_span({}, 0, 1);
    expect_span({3, 3, 3}, 0, 1);
    expect_span({kNan, kInfinity}, 0, 1);
    expect_span({kNan, 3}, 0, 1);
}

TEST(SpanOfMost, IsNotStretchedByAFewWildNumbers) {
    std::vector<float> values;
    for (int i = 0; i <= 1000; ++i)
        values.push_back(static_cast<float>(i) / 1000);
    values[3] = -1e6F;
    values[500] = 1e9F;
    values[700] = std::numeric_limits<float>::quiet_NaN();
    const ValueSpan most = span_of_most(values);
    EXPECT_NEAR(most.lowest, 0.01, 0.002);
    EXPECT_NEAR(most.highest, 0.99, 0.002);
}

TEST(SpanOfMost, OfNearlyEqualNumbersIsTheirSpan) {
    std::vector<float> values(1000, 2.0F);
    values[7] = 5;
    EXPECT_EQ(span_of_most(values).lowest, 2);
    EXPECT_EQ(span_of_most(values).highest, 5);
    EXPECT_EQ(span_of_most({}).highest, 1);
}

}  // namespace
}  // namespace vae_dist
