#include "vae_dist/data/loader/input_pipeline.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "support/expect_error.hpp"
#include "unit/data/memory_rows.hpp"

namespace vae_dist {
namespace {

DataConfig transformed(Transform transform) {
    DataConfig config;
    config.transform = transform;
    return config;
}

DataConfig scaled(double scale) {
    DataConfig config;
    config.scale = scale;
    return config;
}

class Pipeline : public testing::Test {
 protected:
    // The model's input for samples of the file, with their row numbers.
    template <class T>
    std::vector<float> load(const DataConfig& config, ElementType type, std::int64_t features,
                            const std::vector<T>& samples, const std::vector<std::int64_t>& rows,
                            const std::optional<FeatureStatistics>& statistics = {}, std::uint32_t visit = 0,
                            std::uint32_t seed = 1) {
        const MemoryRows source("made up", type, {features}, samples);
        InputPipeline pipeline(config, seed, source, {.samples = statistics}, 16, *backend_);
        const Slice slice = {.virtual_rank = 0, .raw = std::as_bytes(std::span(samples)), .rows = rows};
        const ConstFloatMatrix input = pipeline.load(slice, visit).x;
        EXPECT_EQ(input.rows, static_cast<std::int64_t>(rows.size()));
        EXPECT_EQ(input.columns, features);
        std::vector<float> values;
        for (std::int64_t r = 0; r < input.rows; ++r) {
            values.insert(values.end(), input.row(r), input.row(r) + features);
        }
        return values;
    }

    std::vector<float> binarized(const std::vector<std::int64_t>& rows, std::uint32_t visit,
                                 std::uint32_t seed = 1) {
        const std::vector<float> grey(rows.size() * kPixels, 0.5F);
        return load(transformed(Transform::binarize), ElementType::float32, kPixels, grey, rows, {}, visit,
                    seed);
    }

    static constexpr std::int64_t kPixels = 64;
    std::unique_ptr<Backend> backend_ = make_backend({});
};

TEST_F(Pipeline, AutomaticScaleIsForBytesAlone) {
    EXPECT_EQ(input_scale({}, ElementType::uint8), 1.0 / 255);
    for (const ElementType type : {ElementType::int8, ElementType::uint16, ElementType::float32}) {
        EXPECT_EQ(input_scale({}, type), 1);
    }
    EXPECT_EQ(input_scale(scaled(3), ElementType::uint8), 3);
}

TEST(ScaleOfPixels, IsDoubtedForSmallUnsignedBytes) {
    const auto doubt = [](double largest, ElementType type, const DataConfig& config = {}) {
        return doubt_about_scale(config, type, {.mean = {}, .deviation = {}, .largest = largest});
    };
    EXPECT_EQ(
        doubt(1 / 255.0, ElementType::uint8),
        "the data go from 0 to 1, and data.scale: auto divides them by 255; for numbers from 0 to 1 set "
        "data.scale: 1");
    EXPECT_NE(doubt(16 / 255.0, ElementType::uint8).find("data.scale: 0.0625"), std::string::npos);
    EXPECT_EQ(doubt(17 / 255.0, ElementType::uint8), "");
    EXPECT_EQ(doubt(0, ElementType::uint8), "") << "nothing to scale";
    EXPECT_EQ(doubt(1, ElementType::uint8, scaled(1)), "") << "the user's own";
    EXPECT_EQ(doubt(1, ElementType::int8), "") << "not divided";
    EXPECT_EQ(doubt(1 / 255.0, ElementType::uint8, transformed(Transform::standardize)), "");
}

TEST_F(Pipeline, NumbersOfTheFileBecomeScaledFloats) {
    EXPECT_EQ(load<std::uint8_t>({}, ElementType::uint8, 2, {0, 255, 51, 102}, {0, 1}),
              (std::vector<float>{0, 1, 0.2F, 0.4F}));
    EXPECT_EQ(load<std::int16_t>(scaled(0.5), ElementType::int16, 3, {-4, 0, 6}, {9}),
              (std::vector<float>{-2, 0, 3}));
}

TEST_F(Pipeline, StandardizeMakesEachFeatureOfMeanZeroAndDeviationOne) {
    const FeatureStatistics statistics = {.mean = {10, -1}, .deviation = {2, 0.5}, .rows = 5};
    EXPECT_EQ(load<float>(transformed(Transform::standardize), ElementType::float32, 2, {14, -1, 8, -2},
                          {0, 1}, statistics),
              (std::vector<float>{2, 0, -1, -2}));
}

TEST_F(Pipeline, StatisticsAreNeededByStandardizeAndNothingElse) {
    const FeatureStatistics statistics = {.mean = {0}, .deviation = {1}, .rows = 1};
    expect_error(ErrorKind::bug, {"standardize"}, [&] {
        load<float>(transformed(Transform::standardize), ElementType::float32, 1, {1}, {0});
    });
    expect_error(ErrorKind::bug, {"standardize"},
                 [&] { load<float>({}, ElementType::float32, 1, {1}, {0}, statistics); });
}

TEST_F(Pipeline, BinarizeDrawsAnewAtEveryVisit) {
    const auto first = binarized({3}, 0);
    for (const float value : first)
        EXPECT_TRUE(value == 0 || value == 1);
    EXPECT_EQ(first, binarized({3}, 0));
    EXPECT_NE(first, binarized({3}, 1));
    EXPECT_NE(first, binarized({3}, 0, 2)) << "another seed";
    EXPECT_NE(first, binarized({4}, 0)) << "another sample";
}

TEST_F(Pipeline, ASamplesDrawDoesNotDependOnItsNeighbours) {
    const auto together = binarized({8, 3, 5}, 4);
    const auto alone = binarized({5}, 4);
    EXPECT_EQ(std::vector<float>(together.begin() + 2 * kPixels, together.end()), alone);
}

}  // namespace
}  // namespace vae_dist
