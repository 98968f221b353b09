#pragma once

#include <cstdint>
#include <limits>

#include "vae_dist/data/rows/row_source.hpp"
#include "vae_dist/data/rows/slice.hpp"

namespace vae_dist {

/// Numbers above it are mostly marks of missing values, as netCDF's 9.97e36, and hardly ever measured.
inline constexpr double kLargestLikely = 1e15;

/// The numbers of largest magnitude among some rows, times data.scale.
struct LargeValues {
    static constexpr std::int64_t kNoRow = std::numeric_limits<std::int64_t>::max();
    double largest = 0;             ///< its magnitude
    std::int64_t row = kNoRow;      ///< the first row in the data that has it
    std::int64_t above_likely = 0;  ///< how many numbers are above kLargestLikely
    std::int64_t values = 0;        ///< how many were looked at

    /// Takes in the samples of a slice of `source`; what is not finite is passed over.
    void look_at(const Slice& slice, const RowSource& source, double scale);

    /// Where few of the numbers are so large: where all are, they are in some small unit.
    bool has_marks() const { return above_likely > 0 && 2 * above_likely < values; }
};

}  // namespace vae_dist
