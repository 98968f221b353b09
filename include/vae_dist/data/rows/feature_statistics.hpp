#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "vae_dist/config/config.hpp"
#include "vae_dist/data/rows/row_source.hpp"

namespace vae_dist {

/// Mean and standard deviation of each feature (D), over a bounded sample of the data.
struct FeatureStatistics {
    std::vector<double> mean;
    /// 1 where a feature does not vary: by no more than the rounding of the mean, 2^-51 of its magnitude.
    std::vector<double> deviation;
    std::int64_t rows = 0;  ///< how many were looked at
    double largest = 0;     ///< of all numbers looked at, scaled but not transformed; not kept in checkpoints
};

/// Statistics of all that needs them.
struct InputStatistics {
    std::optional<FeatureStatistics> samples;        ///< of the transform standardize
    std::vector<FeatureStatistics> conditions = {};  ///< of each, in their order
};

/// The raw bytes that `feature_statistics` looks at, where the data have more.
inline constexpr std::int64_t kMostStatisticsBytes = std::int64_t{256} << 20;

/// One pass over all rows where they have at most `most_bytes`. Else over an equal number of rows from the
/// beginning of each of up to 4096 blocks, spread evenly over the data, of `most_bytes` together at the most
/// (but one row at the least); fewer blocks where a row of each were more. Which rows follows from the
/// blocks alone. At a time about 1 MiB is read, or one row.
///
/// Each number is multiplied by `scale` and then taken through `transform`, in double (standardize and
/// binarize count as none). Throws an input error naming the row and the value if a scaled value is none
/// that the transform and float32 allow.
FeatureStatistics feature_statistics(RowSource& source, double scale, Transform transform,
                                     std::int64_t most_bytes = kMostStatisticsBytes);

}  // namespace vae_dist
