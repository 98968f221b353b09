#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "vae_dist/data/rows/large_values.hpp"
#include "vae_dist/data/rows/row_source.hpp"
#include "vae_dist/data/rows/slice.hpp"
#include "vae_dist/data/rows/value_range.hpp"

namespace vae_dist {

/// How much is looked at.
struct RowSampleLimits {
    std::int64_t bytes = std::int64_t{64} << 20;  ///< as read; data of no more are read whole
    std::chrono::seconds time{20};
};

/// Some rows that were read, and found to be right.
struct RowSample {
    std::int64_t rows = 0;
    std::int64_t blocks = 0;
    std::int64_t files = 0;
    std::int64_t of_rows = 0;
    std::int64_t of_blocks = 0;
    std::int64_t of_files = 0;
    LargeValues large;

    /// "100 of 5,000 rows, in 10 of 40 blocks and in 3 of 3 files".
    std::string text() const;
};

/// Reads the first block of each file, and then blocks spread evenly over the data. Throws an input error for
/// what cannot be read, and for a value that times `scale` is not allowed: those that training would throw.
RowSample look_at_rows(RowSource& source, double scale, const ValueRange& allowed,
                       const RowSampleLimits& limits = {});

}  // namespace vae_dist
