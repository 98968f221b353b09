#pragma once

#include <cstdint>
#include <vector>

#include "vae_dist/backend/backend.hpp"
#include "vae_dist/data/row_source.hpp"

namespace vae_dist {

/// Mean and standard deviation of each feature (D), over a bounded sample of the data.
struct FeatureStatistics {
    std::vector<float> mean;
    std::vector<float> deviation;  ///< 1 where a feature does not vary
    std::int64_t rows = 0;         ///< how many were looked at
};

/// One pass over blocks spread evenly over the data, of 256 MiB together at the most; all rows where they fit. `transform`
/// is applied first (standardize and binarize count as none). Throws an input error naming the row of a value that is
/// not finite.
FeatureStatistics feature_statistics(RowSource& source, Backend& backend, InputTransform transform);

}  // namespace vae_dist
