// Samples as a grid of images.

#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "support/expect_error.hpp"
#include "unit/infer/pixels.hpp"
#include "vae_dist/infer/picture.hpp"

namespace vae_dist {
namespace {

constexpr std::int64_t kMargin = 3;
constexpr ValueSpan kUnit = {0, 1};

/// Grey images (N, side, side), each of one value.
std::vector<float> plain_images(const std::vector<float>& values, std::int64_t side) {
    std::vector<float> samples;
    for (const float value : values) {
        samples.insert(samples.end(), static_cast<std::size_t>(side * side), value);
    }
    return samples;
}

/// The one cell that a grid of `samples`, a single sample, has.
Picture only_cell(const std::vector<float>& sample, const ImageShape& shape, const ValueSpan& shown = kUnit) {
    const Picture grid = grid_of(sample, shape, 1, shown);
    return cut(grid, kMargin, kMargin, grid.height - 2 * kMargin, grid.width - 2 * kMargin);
}

TEST(Grid, HasAMarginAroundEveryCell) {
    const Picture grid = grid_of(plain_images({0, 0, 0, 1, 1, 1}, 60), {60, 60, 1}, 3, kUnit);
    EXPECT_EQ(grid.channels, 1);
    ASSERT_EQ(grid.width, 3 * 60 + 4 * kMargin);
    ASSERT_EQ(grid.height, 2 * 60 + 3 * kMargin);
    ASSERT_EQ(grid.pixels.size(), static_cast<std::size_t>(grid.width * grid.height));
    for (std::int64_t y = 0; y < grid.height; ++y) {
        for (std::int64_t x = 0; x < grid.width; ++x) {
            const bool in_cell = y % (60 + kMargin) >= kMargin && x % (60 + kMargin) >= kMargin;
            const int expected = in_cell ? (y < 60 + kMargin ? 0 : 255) : 128;
            ASSERT_EQ(pixel_at(grid, y, x), grey(expected)) << "row " << y << ", column " << x;
        }
    }
}

TEST(Grid, ShowsSamplesInReadingOrderFromTheTopLeft) {
    const std::vector<float> values = {0.F, 0.2F, 0.4F, 0.6F, 0.8F, 1.F};
    const Picture grid = grid_of(plain_images(values, 60), {60, 60, 1}, 3, kUnit);
    const int expected[2][3] = {{0, 51, 102}, {153, 204, 255}};
    for (std::int64_t row = 0; row < 2; ++row) {
        for (std::int64_t column = 0; column < 3; ++column) {
            EXPECT_EQ(pixel_at(grid, kMargin + row * 63, kMargin + column * 63), grey(expected[row][column]))
                << "row " << row << ", column " << column;
        }
    }
}

TEST(Grid, ShowsTheFirstRowOfASampleOnTopAndItsFirstColumnOnTheLeft) {
    const Picture cell = only_cell({0, 0.2F, 0.4F, 0.6F, 0.8F, 1}, {2, 3, 1});
    ASSERT_EQ(cell.width, 3 * 19);
    ASSERT_EQ(cell.height, 2 * 19);
    for (std::int64_t y = 0; y < cell.height; ++y) {
        for (std::int64_t x = 0; x < cell.width; ++x) {
            const auto index = static_cast<int>(y / 19 * 3 + x / 19);
            ASSERT_EQ(pixel_at(cell, y, x), grey(51 * index)) << "row " << y << ", column " << x;
        }
    }
}

TEST(Grid, EnlargesSmallImagesByAWholeNumber) {
    const auto size_of = [](std::int64_t height, std::int64_t width) {
        const Picture cell =
            only_cell(std::vector<float>(static_cast<std::size_t>(height * width)), {height, width, 1});
        return std::pair(cell.height, cell.width);
    };
    EXPECT_EQ(size_of(8, 8), std::pair(std::int64_t{56}, std::int64_t{56}));
    EXPECT_EQ(size_of(28, 20), std::pair(std::int64_t{56}, std::int64_t{40}));
    EXPECT_EQ(size_of(10, 30), std::pair(std::int64_t{20}, std::int64_t{60}));
    EXPECT_EQ(size_of(56, 56), std::pair(std::int64_t{56}, std::int64_t{56}));
    EXPECT_EQ(size_of(100, 50), std::pair(std::int64_t{100}, std::int64_t{50}));
    EXPECT_EQ(size_of(1, 1), std::pair(std::int64_t{56}, std::int64_t{56}));
}

TEST(Grid, LeavesTheRestOfAShortLastRowEmpty) {
    const Picture grid = grid_of(plain_images({1, 1, 1, 1}, 60), {60, 60, 1}, 3, kUnit);
    EXPECT_EQ(grid.width, 3 * 60 + 4 * kMargin);
    EXPECT_EQ(grid.height, 2 * 60 + 3 * kMargin);
    EXPECT_EQ(pixel_at(grid, 90, 30), grey(255));
    EXPECT_EQ(pixel_at(grid, 90, 90), grey(128));
    EXPECT_EQ(pixel_at(grid, 90, 150), grey(128));
}

TEST(Grid, IsNoWiderThanItsSamples) {
    const Picture grid = grid_of(plain_images({1, 1}, 60), {60, 60, 1}, 10, kUnit);
    EXPECT_EQ(grid.width, 2 * 60 + 3 * kMargin);
    EXPECT_EQ(grid.height, 60 + 2 * kMargin);
}

TEST(Grid, ClipsWhatLiesBeyondTheSpan) {
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    const Picture cell = only_cell({-3, -2, 0, 2, 3, -kInfinity, kInfinity}, {1, 7, 1}, {-2, 2});
    const std::vector<int> expected = {0, 0, 128, 255, 255, 0, 255};
    for (std::size_t i = 0; i < expected.size(); ++i) {
        EXPECT_EQ(pixel_at(cell, 0, static_cast<std::int64_t>(i) * 8), grey(expected[i])) << "value " << i;
    }
}

TEST(Grid, ShowsTheWidestSpanOfNumbers) {
    constexpr float kMost = std::numeric_limits<float>::max();
    const Picture cell = only_cell({-kMost, 0, kMost}, {1, 3, 1}, {-kMost, kMost});
    EXPECT_EQ(pixel_at(cell, 0, 0), grey(0));
    EXPECT_EQ(pixel_at(cell, 0, 28), grey(128));
    EXPECT_EQ(pixel_at(cell, 0, 56), grey(255));
}

TEST(Grid, ShowsWhatIsNoNumberBlack) {
    const Picture cell = only_cell({1, std::numeric_limits<float>::quiet_NaN()}, {1, 2, 1}, {-1, 1});
    EXPECT_EQ(pixel_at(cell, 0, 0), grey(255));
    EXPECT_EQ(pixel_at(cell, 0, 28), grey(0));
}

TEST(Grid, KeepsTheOrderOfColours) {
    const Picture cell = only_cell({1, 0.2F, 0, 0, 0.4F, 1}, {1, 2, 3});
    EXPECT_EQ(cell.channels, 3);
    EXPECT_EQ(pixel_at(cell, 27, 27), (Pixel{255, 51, 0}));
    EXPECT_EQ(pixel_at(cell, 0, 28), (Pixel{0, 102, 255}));
}

TEST(Grid, RefusesPartsOfSamplesAndEmptySpans) {
    expect_error(ErrorKind::bug, {"whole samples"}, [] {
        grid_of(std::vector<float>(5), {2, 2, 1}, 1, kUnit);
    });
    expect_error(ErrorKind::bug, {"something to show"}, [] { grid_of({}, {2, 2, 1}, 1, kUnit); });
    expect_error(ErrorKind::bug, {"something to show"}, [] {
        grid_of(std::vector<float>(4), {2, 2, 1}, 0, kUnit);
    });
    expect_error(ErrorKind::bug, {"black"}, [] { grid_of(std::vector<float>(4), {2, 2, 1}, 1, {1, 1}); });
}

}  // namespace
}  // namespace vae_dist
