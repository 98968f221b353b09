#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "vae_dist/data/loader/epoch_plan.hpp"

namespace vae_dist {

/// Two random subsets of the data's rows without a common row, of n rows each: they stand for the data where
/// all of it would be too much. A pure function of its arguments, of memory O(n).
class DataSubsets {
 public:
    /// A row and its place: 0 ... n - 1 in the first subset, n ... 2 n - 1 in the second.
    struct Pick {
        std::int64_t row = 0;
        std::int64_t place = 0;
    };

    /// 2 n <= rows.
    DataSubsets(std::int64_t rows, std::int64_t n, std::uint32_t seed);

    std::int64_t size() const { return std::ssize(picks_) / 2; }  ///< n
    /// The picks of a range, by row.
    std::span<const Pick> in(const RowRange& range) const;

 private:
    std::vector<Pick> picks_;  ///< by row
};

}  // namespace vae_dist
