#include "infer/evaluation/data_subsets.hpp"

#include <algorithm>
#include <numeric>
#include <set>

#include "vae_dist/core/error.hpp"
#include "vae_dist/core/random.hpp"

namespace vae_dist {

namespace {

// Floyd's algorithm (Bentley and Floyd, 1987): every set of `count` of the rows is equally likely.
std::set<std::int64_t> random_rows(std::int64_t rows, std::int64_t count, const CounterRandom& random) {
    std::set<std::int64_t> chosen;
    for (std::int64_t last = rows - count; last < rows; ++last) {
        const auto bound = static_cast<std::uint64_t>(last) + 1;
        const auto row =
            static_cast<std::int64_t>(random.below(bound, 0, static_cast<std::uint64_t>(last), 0));
        if (!chosen.insert(row).second) chosen.insert(last);
    }
    return chosen;
}

}  // namespace

DataSubsets::DataSubsets(std::int64_t rows, std::int64_t n, std::uint32_t seed) {
    require(n >= 0 && 2 * n <= rows, "two subsets of n rows need 2 n rows");
    const CounterRandom random(seed, Purpose::subset);
    std::vector<std::int64_t> places(static_cast<std::size_t>(2 * n));
    std::iota(places.begin(), places.end(), 0);
    random.shuffle(std::span(places), 1, 0);
    for (const std::int64_t row : random_rows(rows, 2 * n, random))
        picks_.push_back({.row = row, .place = places[picks_.size()]});
}

std::span<const DataSubsets::Pick> DataSubsets::in(const RowRange& range) const {
    const auto begin = std::ranges::lower_bound(picks_, range.first, {}, &Pick::row);
    return {begin, std::ranges::lower_bound(picks_, range.end(), {}, &Pick::row)};
}

}  // namespace vae_dist
