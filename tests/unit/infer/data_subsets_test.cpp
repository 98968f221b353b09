#include "infer/evaluation/data_subsets.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace vae_dist {
namespace {

std::vector<std::int64_t> places(const DataSubsets& subsets, std::int64_t rows) {
    std::vector<std::int64_t> by_place(static_cast<std::size_t>(2 * subsets.size()), -1);
    for (const auto& pick : subsets.in({0, rows}))
        by_place.at(static_cast<std::size_t>(pick.place)) = pick.row;
    return by_place;
}

TEST(DataSubsets, HaveDifferentRowsInEveryPlace) {
    const DataSubsets subsets(1000, 40, 1);
    EXPECT_EQ(subsets.size(), 40);
    const std::vector<std::int64_t> rows = places(subsets, 1000);
    EXPECT_EQ(std::set<std::int64_t>(rows.begin(), rows.end()).size(), 80U);
    EXPECT_GE(std::ranges::min(rows), 0);
    EXPECT_LT(std::ranges::max(rows), 1000);
}

TEST(DataSubsets, MayTakeEveryRow) {
    std::vector<std::int64_t> rows = places(DataSubsets(10, 5, 3), 10);
    std::ranges::sort(rows);
    EXPECT_EQ(rows, (std::vector<std::int64_t>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
}

TEST(DataSubsets, OfARangeAreThePicksInIt) {
    const DataSubsets subsets(100, 20, 7);
    std::size_t seen = 0;
    for (std::int64_t first = 0; first < 100; first += 7) {
        for (const auto& pick : subsets.in({first, 7})) {
            EXPECT_GE(pick.row, first);
            EXPECT_LT(pick.row, first + 7);
            ++seen;
        }
    }
    EXPECT_EQ(seen, 40U);
}

TEST(DataSubsets, AreAFunctionOfTheSeed) {
    EXPECT_EQ(places(DataSubsets(100, 20, 7), 100), places(DataSubsets(100, 20, 7), 100));
    EXPECT_NE(places(DataSubsets(100, 20, 7), 100), places(DataSubsets(100, 20, 8), 100));
}

TEST(DataSubsets, TakeEachRowAboutEquallyOftenIntoEachOfThem) {
    constexpr std::int64_t kRows = 12;
    constexpr int kSeeds = 3000;
    std::vector<int> first(kRows);
    std::vector<int> second(kRows);
    for (std::uint32_t seed = 0; seed < kSeeds; ++seed) {
        const DataSubsets subsets(kRows, 2, seed);
        for (const auto& pick : subsets.in({0, kRows}))
            ++(pick.place < 2 ? first : second)[static_cast<std::size_t>(pick.row)];
    }
    // Binomial (3000, 1/6): 500 +/- 20.4.
    for (std::size_t row = 0; row < kRows; ++row) {
        EXPECT_NEAR(first[row], 500, 100) << row;
        EXPECT_NEAR(second[row], 500, 100) << row;
    }
}

TEST(DataSubsets, MayBeEmpty) {
    const DataSubsets subsets(1, 0, 1);
    EXPECT_EQ(subsets.size(), 0);
    EXPECT_TRUE(subsets.in({0, 1}).empty());
}

}  // namespace
}  // namespace vae_dist
