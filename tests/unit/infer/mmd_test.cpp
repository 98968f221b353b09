#include "infer/evaluation/mmd.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "vae_dist/backend/backend.hpp"

namespace vae_dist {
namespace {

constexpr std::int64_t kFeatures = 5;

// (n, D) standard normal numbers, moved.
std::vector<float> normal_samples(std::size_t n, std::uint32_t seed, float shift = 0) {
    std::vector<float> samples(n * kFeatures);
    CounterRandom(seed, Purpose::synthetic).normals(0, 0, samples);
    for (float& value : samples)
        value += shift;
    return samples;
}

std::optional<SampleQuality> quality(const std::vector<float>& data, const std::vector<float>& other,
                                     const std::vector<float>& generated) {
    const auto backend = make_backend({});
    return sample_quality(*backend, kFeatures, data, other, generated);
}

// The same by plain loops.
double square_between(const std::vector<float>& a, std::size_t i, const std::vector<float>& b,
                      std::size_t j) {
    double sum = 0;
    for (std::size_t d = 0; d < kFeatures; ++d) {
        const double difference = static_cast<double>(a[i * kFeatures + d]) - b[j * kFeatures + d];
        sum += difference * difference;
    }
    return sum;
}

double direct_bandwidth(const std::vector<float>& a, const std::vector<float>& b) {
    std::vector<float> pooled = a;
    pooled.insert(pooled.end(), b.begin(), b.end());
    std::vector<double> distances;
    for (std::size_t i = 0; i < pooled.size() / kFeatures; ++i) {
        for (std::size_t j = 0; j < i; ++j)
            distances.push_back(std::sqrt(square_between(pooled, i, pooled, j)));
    }
    std::ranges::sort(distances);
    return distances[distances.size() / 2];
}

double direct_mmd(const std::vector<float>& a, const std::vector<float>& b, double bandwidth) {
    const std::size_t n = a.size() / kFeatures;
    const auto kernel = [&](double square) { return std::exp(-square / (2 * bandwidth * bandwidth)); };
    const auto count = static_cast<double>(n);
    double sum = 0;
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < n; ++j) {
            sum -= 2 * kernel(square_between(a, i, b, j)) / (count * count);
            if (i == j) continue;
            sum += kernel(square_between(a, i, a, j)) / (count * (count - 1));
            sum += kernel(square_between(b, i, b, j)) / (count * (count - 1));
        }
    }
    return sum;
}

TEST(SampleQuality, AgreesWithPlainLoops) {
    const std::vector<float> data = normal_samples(40, 1);
    const std::vector<float> other = normal_samples(40, 2);
    const std::vector<float> generated = normal_samples(40, 3, 0.4F);
    const auto found = quality(data, other, generated);
    ASSERT_TRUE(found);
    const double bandwidth = direct_bandwidth(data, other);
    EXPECT_EQ(found->rows, 40);
    EXPECT_NEAR(found->bandwidth, bandwidth, 1e-6 * bandwidth);
    EXPECT_NEAR(found->generated, direct_mmd(data, generated, bandwidth), 1e-6);
    EXPECT_NEAR(found->data, direct_mmd(data, other, bandwidth), 1e-6);
}

TEST(SampleQuality, KeepsItsDigitsFarFromZero) {
    const std::vector<float> data = normal_samples(20, 1, 4096);
    const std::vector<float> other = normal_samples(20, 2, 4096);
    const std::vector<float> generated = normal_samples(20, 3, 4097);
    const auto found = quality(data, other, generated);
    ASSERT_TRUE(found);
    const double bandwidth = direct_bandwidth(data, other);
    EXPECT_NEAR(found->bandwidth, bandwidth, 1e-5 * bandwidth);
    EXPECT_NEAR(found->generated, direct_mmd(data, generated, bandwidth), 1e-5);
}

TEST(SampleQuality, OfEqualDistributionsScattersAroundZero) {
    constexpr int kRepeats = 200;
    double sum = 0;
    double squares = 0;
    for (std::uint32_t i = 0; i < kRepeats; ++i) {
        const auto found =
            quality(normal_samples(10, 3 * i), normal_samples(10, 3 * i + 1), normal_samples(10, 3 * i + 2));
        sum += found->generated;
        squares += found->generated * found->generated;
    }
    // A biased estimate, with each sample's distance to itself, would be 2 (1 - 0.6) / 10 on average.
    const double error = std::sqrt(squares) / kRepeats;
    EXPECT_LT(error, 0.01);
    EXPECT_NEAR(sum / kRepeats, 0, 5 * error);
}

TEST(SampleQuality, GrowsAsGeneratedSamplesMoveAwayFromTheData) {
    const std::vector<float> data = normal_samples(60, 1);
    const std::vector<float> other = normal_samples(60, 2);
    double last = 0.01;
    for (const float shift : {0.5F, 1.0F, 2.0F, 8.0F}) {
        const auto found = quality(data, other, normal_samples(60, 3, shift));
        EXPECT_GT(found->generated, last + 0.02) << shift;
        EXPECT_LT(std::abs(found->data), 0.05);
        last = found->generated;
    }
}

TEST(SampleQuality, IsAbsentWhereMostOfTheDataAreAlike) {
    std::vector<float> alike(6 * kFeatures, 0.3F);
    EXPECT_FALSE(quality(alike, alike, normal_samples(6, 1)));
    // Their mean is now another, and of equal rows only rounding errors would keep a distance.
    alike[0] = 0.7F;
    alike[1] = 0.1F;
    EXPECT_FALSE(quality(alike, alike, normal_samples(6, 1)));
}

TEST(SampleQuality, IsAbsentForFewerThanTwoSamples) {
    EXPECT_FALSE(quality({}, {}, {}));
    EXPECT_FALSE(quality(normal_samples(1, 1), normal_samples(1, 2), normal_samples(1, 3)));
}

TEST(SampleQuality, OfGeneratedSamplesThatAreNoNumbersIsNone) {
    std::vector<float> generated = normal_samples(4, 3);
    generated[7] = std::nanf("");
    const auto found = quality(normal_samples(4, 1), normal_samples(4, 2), generated);
    EXPECT_TRUE(std::isnan(found->generated));
    EXPECT_TRUE(std::isfinite(found->data));
}

}  // namespace
}  // namespace vae_dist
