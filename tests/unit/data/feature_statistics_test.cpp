#include "vae_dist/data/rows/feature_statistics.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "support/expect_error.hpp"
#include "support/temporary_folder.hpp"
#include "unit/data/data_files.hpp"
#include "vae_dist/data/rows/row_source.hpp"

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

// Rows of two float32, each the number of its block, and what was read of them.
class BlocksOfTheirNumber final : public RowSource {
 public:
    BlocksOfTheirNumber(std::int64_t blocks, std::int64_t rows_of_each) : rows_of_each_(rows_of_each) {
        for (std::int64_t b = 0; b < blocks; ++b)
            blocks_.push_back({b * rows_of_each, rows_of_each});
    }

    std::int64_t rows() const override { return blocks_.back().end(); }
    const std::vector<std::int64_t>& row_shape() const override { return row_shape_; }
    ElementType element_type() const override { return ElementType::float32; }
    const std::vector<RowRange>& blocks() const override { return blocks_; }
    void read(std::int64_t first, std::int64_t count, std::byte* to) override {
        for (std::int64_t row = first; row < first + count; ++row, to += row_bytes()) {
            const std::vector<float> values(2, static_cast<float>(row / rows_of_each_));
            std::memcpy(to, values.data(), row_bytes());
        }
        reads.push_back({first, count});
    }
    std::string locate(std::int64_t) const override { return ""; }
    std::string description() const override { return ""; }

    std::vector<RowRange> reads;

 private:
    std::int64_t rows_of_each_;
    std::vector<RowRange> blocks_;
    std::vector<std::int64_t> row_shape_{2};
};

constexpr std::int64_t kRowBytes = 2 * sizeof(float);

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

TEST(StatisticsOfMuch, LookAtEveryLargeBlockAlike) {
    BlocksOfTheirNumber source(3, 1000);
    const FeatureStatistics statistics = feature_statistics(source, 1, Transform::none, 300 * kRowBytes);
    EXPECT_EQ(statistics.rows, 300);
    EXPECT_NEAR(statistics.mean[0], 1, 1e-12);
    EXPECT_NEAR(statistics.deviation[1], std::sqrt(2.0 / 3), 1e-12);
    EXPECT_EQ(source.reads, (std::vector<RowRange>{{0, 100}, {1000, 100}, {2000, 100}}));
}

TEST(StatisticsOfMuch, LookAtAllRowsWhereTheyFit) {
    BlocksOfTheirNumber source(3, 1000);
    EXPECT_EQ(feature_statistics(source, 1, Transform::none, 3000 * kRowBytes).rows, 3000);
    EXPECT_EQ(feature_statistics(source, 1, Transform::none, 3000 * kRowBytes - 1).rows, 2997);
}

TEST(StatisticsOfMuch, SpreadOverManyBlocks) {
    BlocksOfTheirNumber source(40'960, 3);
    const FeatureStatistics statistics = feature_statistics(source, 1, Transform::none, 2 * 4096 * kRowBytes);
    EXPECT_EQ(statistics.rows, 2 * 4096);
    EXPECT_NEAR(statistics.mean[0], 40'960.0 / 2, 5);
    ASSERT_EQ(source.reads.size(), 4096U);
    EXPECT_EQ(source.reads[1], (RowRange{30, 2}));
}

TEST(StatisticsOfMuch, KeepToTheirBytesWhereEvenARowOfEachBlockIsTooMuch) {
    BlocksOfTheirNumber source(100, 3);
    EXPECT_EQ(feature_statistics(source, 1, Transform::none, 10 * kRowBytes).rows, 10);
    EXPECT_EQ(source.reads.back(), (RowRange{270, 1}));
    EXPECT_EQ(feature_statistics(source, 1, Transform::none, 1).rows, 1);
}

TEST(StatisticsOfMuch, ReadAMebibyteAtATime) {
    BlocksOfTheirNumber source(1, 300'000);
    EXPECT_EQ(feature_statistics(source, 1, Transform::none).rows, 300'000);
    EXPECT_EQ(source.reads, (std::vector<RowRange>{{0, 131'072}, {131'072, 131'072}, {262'144, 37'856}}));
}

TEST_F(Statistics, KnowTheLargestScaledNumber) {
    write_float_rows(folder_.file("d.h5"), "x", 2, {-5, -2, -3, -4});
    EXPECT_EQ(of_file().largest, -2);
    EXPECT_EQ(of_file(-0.5).largest, 2.5);
    EXPECT_EQ(of_file(0.1, Transform::log1p).largest, -0.2);
}

TEST_F(Statistics, AValueThatIsTooLargeForFloat32IsCalledThat) {
    write_rows<double>(folder_.file("d.h5"), "x", ElementType::float64, 1, {1, 1e39});
    expect_error(ErrorKind::input, {"x row 1", "1e+39", "float32", "data.scale"}, [&] { of_file(); });
    EXPECT_DOUBLE_EQ(of_file(1e-39).largest, 1);
}

TEST_F(Statistics, AValueWithoutALogarithmIsCalledThat) {
    write_float_rows(folder_.file("d.h5"), "x", 1, {1, -1});
    expect_error(ErrorKind::input, {"x row 1", "log1p"}, [&] { of_file(1, Transform::log1p); });
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
