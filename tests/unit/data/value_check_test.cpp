#include "data/rows/value_check.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "support/expect_error.hpp"
#include "support/temporary_folder.hpp"
#include "unit/data/data_files.hpp"

namespace vae_dist {
namespace {

constexpr float kLargestFloat = std::numeric_limits<float>::max();
constexpr ValueRange kUnit{0, 1, "values must lie in [0, 1]"};

/// Checks `values`, rows of two numbers, as rows 10, 11, ... of a file.
template <class T>
void check(ElementType type, double scale, const ValueRange& allowed, const std::vector<T>& values) {
    const TemporaryFolder folder;
    write_rows<T>(folder.file("a.h5"), "train/x", type, 2, std::vector<T>(100));
    const auto source = open_hdf5_rows({{folder.file("a.h5")}, "train/x"});
    ValueCheck(*source, scale, allowed)
        .check(*source, 10, static_cast<std::int64_t>(values.size()) / 2,
               std::as_bytes(std::span(values)).data());
}

TEST(ValueCheck, NamesFileDatasetRowAndValue) {
    expect_error(ErrorKind::input,
                 {"a.h5:train/x row 12: value 3.5 (7 times data.scale 0.5); values must lie"}, [] {
                     check<std::uint8_t>(ElementType::uint8, 0.5, kUnit, {0, 1, 2, 1, 0, 7, 8, 8});
                 });
    expect_error(ErrorKind::input, {"a.h5:train/x row 10: value -0.25; values must lie"}, [] {
        check<float>(ElementType::float32, 1, kUnit, {0, -0.25F});
    });
}

TEST(ValueCheck, NamesNanAndInfinityWhateverTheRange) {
    const ValueRange finite = allowed_values(Transform::none, support_of(LikelihoodKind::gaussian));
    constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    expect_error(ErrorKind::input, {"row 11: not a number (NaN)"}, [&] {
        check<float>(ElementType::float32, 1, finite, {0, 1, 2, kNan});
    });
    expect_error(ErrorKind::input, {"row 11: not a number (NaN)"}, [&] {
        check<float>(ElementType::float32, 0.5, kUnit, {0, 1, kNan, 1});
    });
    expect_error(ErrorKind::input, {"row 10: an infinite value (-inf)"}, [&] {
        check<double>(ElementType::float64, 1, finite, {-kInfinity, 1});
    });
    expect_error(ErrorKind::input, {"row 10: value 1e+300", "float32"}, [&] {
        check<double>(ElementType::float64, 1, finite, {1e300, 1});
    });
}

TEST(ValueCheck, AcceptsTheEndsOfTheRange) {
    EXPECT_NO_THROW(check<float>(ElementType::float32, 1, kUnit, {0, 1, 0.5F, 1}));
    EXPECT_NO_THROW(check<std::uint8_t>(ElementType::uint8, 1.0 / 255, kUnit, {0, 255}));
    EXPECT_NO_THROW(check<std::uint16_t>(ElementType::uint16, 1.0 / 65535, kUnit, {0, 65535}));
    EXPECT_NO_THROW(check<std::int64_t>(ElementType::int64, 1e-3, kUnit, {1000, 0}));
}

TEST(ValueCheck, WhatPassesIsAFloatInTheRangeAndNothingElseIsRefused) {
    // A scale below all floats, and numbers above them.
    EXPECT_NO_THROW(check<double>(ElementType::float64, 1e-40, kUnit, {1e40, 0}));
    expect_error(ErrorKind::input, {"row 10"}, [] {
        check<double>(ElementType::float64, 1e-40, kUnit, {2e40, 0});
    });
    // As a float it is 1; the next float above 1 is refused.
    EXPECT_NO_THROW(check<double>(ElementType::float64, 1, kUnit, {1 + 1e-9, 0}));
    expect_error(ErrorKind::input, {"row 10"}, [] {
        check<double>(ElementType::float64, 1, kUnit, {1 + 1e-7, 0});
    });
    const ValueRange finite = allowed_values(Transform::none, support_of(LikelihoodKind::gaussian));
    EXPECT_NO_THROW(check<double>(ElementType::float64, 1, finite, {-3.4028235e38, 0}));
    expect_error(ErrorKind::input, {"row 10", "float32"}, [&] {
        check<double>(ElementType::float64, 1, finite, {0, 3.4028236e38});
    });
    const ValueRange log1p = allowed_values(Transform::log1p, support_of(LikelihoodKind::gaussian));
    expect_error(ErrorKind::input, {"row 10", "above -1"}, [&] {
        check<double>(ElementType::float64, 1, log1p, {-1 + 1e-12, 0});
    });
}

TEST(ValueCheck, LooksAtEveryType) {
    expect_error(ErrorKind::input, {"value 2;"}, [] {
        check<std::uint8_t>(ElementType::uint8, 1, kUnit, {0, 2});
    });
    expect_error(ErrorKind::input, {"value -1;"}, [] {
        check<std::int8_t>(ElementType::int8, 1, kUnit, {0, -1});
    });
    expect_error(ErrorKind::input, {"value 2;"}, [] {
        check<std::uint16_t>(ElementType::uint16, 1, kUnit, {0, 2});
    });
    expect_error(ErrorKind::input, {"value -1;"}, [] {
        check<std::int16_t>(ElementType::int16, 1, kUnit, {0, -1});
    });
    expect_error(ErrorKind::input, {"value 2;"}, [] {
        check<std::uint32_t>(ElementType::uint32, 1, kUnit, {0, 2});
    });
    expect_error(ErrorKind::input, {"value -1;"}, [] {
        check<std::int32_t>(ElementType::int32, 1, kUnit, {0, -1});
    });
    expect_error(ErrorKind::input, {"value 2;"}, [] {
        check<std::uint64_t>(ElementType::uint64, 1, kUnit, {0, 2});
    });
    expect_error(ErrorKind::input, {"value -1;"}, [] {
        check<std::int64_t>(ElementType::int64, 1, kUnit, {0, -1});
    });
    expect_error(ErrorKind::input, {"value 2;"}, [] {
        check<double>(ElementType::float64, 1, kUnit, {0, 2});
    });
}

TEST(AllowedValues, FollowTheTransformAndTheLikelihood) {
    for (const auto kind : {LikelihoodKind::bernoulli, LikelihoodKind::gaussian}) {
        const Support likelihood = support_of(kind);
        EXPECT_EQ(allowed_values(Transform::binarize, likelihood).lowest, 0);
        EXPECT_EQ(allowed_values(Transform::binarize, likelihood).highest, 1);
        EXPECT_EQ(allowed_values(Transform::threshold, likelihood).lowest, -kLargestFloat);
        EXPECT_EQ(allowed_values(Transform::standardize, likelihood).highest, kLargestFloat);
    }
    EXPECT_EQ(allowed_values(Transform::none, support_of(LikelihoodKind::bernoulli)).lowest, 0);
    EXPECT_EQ(allowed_values(Transform::none, support_of(LikelihoodKind::bernoulli)).highest, 1);
    EXPECT_EQ(allowed_values(Transform::none, support_of(LikelihoodKind::gaussian)).highest, kLargestFloat);
    const ValueRange log1p = allowed_values(Transform::log1p, support_of(LikelihoodKind::gaussian));
    EXPECT_GT(log1p.lowest, -1);
    EXPECT_TRUE(std::isfinite(std::log1p(log1p.lowest)));
    EXPECT_EQ(log1p.highest, kLargestFloat);
}

}  // namespace
}  // namespace vae_dist
