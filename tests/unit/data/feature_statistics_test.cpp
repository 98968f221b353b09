#include "vae_dist/data/feature_statistics.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "support/expect_error.hpp"
#include "support/temporary_folder.hpp"
#include "unit/data/data_files.hpp"
#include "vae_dist/data/row_source.hpp"

namespace vae_dist {
namespace {

class Statistics : public testing::Test {
 protected:
    std::unique_ptr<RowSource> open() const { return open_hdf5_rows({{folder_.file("d.h5")}, "x"}); }
    FeatureStatistics of_file(double scale = 1, Transform transform = Transform::none) const {
        return feature_statistics(*open(), scale, transform);
    }

    TemporaryFolder folder_;
};

struct Reference {
    double mean = 0;
    double deviation = 0;
};

// Two passes in double.
Reference reference(const std::vector<double>& values, std::size_t features, std::size_t feature) {
    Reference result;
    const auto rows = static_cast<double>(values.size() / features);
    for (std::size_t i = feature; i < values.size(); i += features)
        result.mean += values[i] / rows;
    double variance = 0;
    for (std::size_t i = feature; i < values.size(); i += features) {
        variance += (values[i] - result.mean) * (values[i] - result.mean) / rows;
    }
    result.deviation = std::sqrt(variance);
    return result;
}

TEST_F(Statistics, AreTheMeanAndDeviationOfEachFeature) {
    constexpr std::size_t kFeatures = 3;
    std::vector<float> values;
    for (int row = 0; row < 101; ++row) {
        values.push_back(std::sin(static_cast<float>(row)));
        values.push_back(1e6F + static_cast<float>(row % 7));  // a large mean, a small deviation
        values.push_back(-1e-6F * static_cast<float>(row * row));
    }
    write_float_rows(folder_.file("d.h5"), "x", kFeatures, values);
    const FeatureStatistics statistics = of_file();
    EXPECT_EQ(statistics.rows, 101);
    ASSERT_EQ(statistics.mean.size(), kFeatures);
    for (std::size_t d = 0; d < kFeatures; ++d) {
        const Reference expected = reference({values.begin(), values.end()}, kFeatures, d);
        EXPECT_NEAR(statistics.mean[d], expected.mean, 1e-13 * std::abs(expected.mean) + 1e-15) << d;
        EXPECT_NEAR(statistics.deviation[d], expected.deviation, 1e-10 * expected.deviation) << d;
    }
}

TEST_F(Statistics, AreExactForLargeNumbersCloseTogetherWhateverTheFirstRow) {
    std::vector<double> values;
    for (int row = 0; row < 1000; ++row) {
        values.push_back(1.7e9 + 10 * std::sin(row));      // seconds since 1970
        values.push_back(row == 0 ? 1e8 : std::cos(row));  // an outlier comes first
        values.push_back(1e8 + 0.01 * std::cos(row));
    }
    write_rows(folder_.file("d.h5"), "x", ElementType::float64, 3, values);
    const FeatureStatistics statistics = of_file();
    for (std::size_t d = 0; d < 3; ++d) {
        const Reference expected = reference(values, 3, d);
        EXPECT_NEAR(statistics.mean[d], expected.mean, 1e-13 * std::abs(expected.mean)) << d;
        EXPECT_NEAR(statistics.deviation[d], expected.deviation, 1e-6 * expected.deviation) << d;
    }
}

TEST_F(Statistics, DoNotPassThroughFloats) {
    const std::vector<std::int64_t> values = {1700000000, 1700000002};
    write_rows(folder_.file("d.h5"), "x", ElementType::int64, 1, values);
    EXPECT_EQ(of_file().mean[0], 1700000001);
    EXPECT_EQ(of_file().deviation[0], 1);
    EXPECT_EQ(of_file(1e-50).mean[0], 1700000001 * 1e-50) << "no float is as small";
}

TEST_F(Statistics, AFeatureThatDoesNotVaryHasDeviationOne) {
    write_float_rows(folder_.file("d.h5"), "x", 2, {0.1F, 5, 0.1F, 6, 0.1F, 7, 0.1F, 8, 0.1F, 9});
    const FeatureStatistics statistics = of_file();
    EXPECT_EQ(statistics.mean[0], 0.1F);
    EXPECT_EQ(statistics.deviation[0], 1);
    EXPECT_NEAR(statistics.deviation[1], std::sqrt(2.0), 1e-15);
}

TEST_F(Statistics, AFeatureThatVariesByRoundingAloneHasDeviationOne) {
    write_rows<double>(folder_.file("d.h5"), "x", ElementType::float64, 2,
                       {0.1 + 0.2, 1e9, 0.3, 1e9 + 1e-5, 0.3, 1e9, 0.1 + 0.2, 1e9 + 1e-5});
    const FeatureStatistics statistics = of_file();
    EXPECT_EQ(statistics.deviation[0], 1);
    EXPECT_NEAR(statistics.deviation[1], 5e-6, 1e-6);
}

TEST_F(Statistics, AreTakenAfterScaleAndTransform) {
    const std::vector<std::uint8_t> pixels = {0, 255, 51, 102};
    write_rows(folder_.file("d.h5"), "x", ElementType::uint8, 1, pixels);
    EXPECT_DOUBLE_EQ(of_file(1.0 / 255).mean[0], 0.4);
    const double logarithms = (std::log1p(255.0) + std::log1p(51.0) + std::log1p(102.0)) / 4;
    EXPECT_NEAR(of_file(1, Transform::log1p).mean[0], logarithms, 1e-14);
    EXPECT_EQ(of_file(1.0 / 102, Transform::threshold).mean[0], 0.75);
    // What needs the statistics, or draws by them, leaves the values as they are.
    EXPECT_DOUBLE_EQ(of_file(1.0 / 255, Transform::binarize).mean[0], 0.4);
    EXPECT_DOUBLE_EQ(of_file(1.0 / 255, Transform::standardize).mean[0], 0.4);
}

TEST_F(Statistics, ARowThatIsNotFiniteIsNamed) {
    for (const float bad : {std::nanf(""), std::numeric_limits<float>::infinity()}) {
        std::vector<float> values(40, 1.0F);
        values[2 * 13 + 1] = bad;
        write_float_rows(folder_.file("d.h5"), "x", 2, values);
        expect_error(ErrorKind::input, {"d.h5", "x row 13"}, [&] { of_file(); });
        expect_error(ErrorKind::input, {"x row 13"}, [&] { of_file(1, Transform::threshold); });
    }
}

}  // namespace
}  // namespace vae_dist
