#pragma once

#include <cstdint>
#include <vector>

#include "vae_dist/config/config.hpp"
#include "vae_dist/data/row_source.hpp"

namespace vae_dist {

/// Mean and standard deviation of each feature (D), over a bounded sample of the data.
struct FeatureStatistics {
    std::vector<double> mean;
    /// 1 where a feature does not vary: by no more than the rounding of the mean, 2^-51 of its magnitude.
    std::vector<double> deviation;
    std::int64_t rows = 0;  ///< how many were looked at
};

/// One pass over blocks spread evenly over the data, of 256 MiB together at the most; all rows where they
/// fit. Each number is multiplied by `scale` and then taken through `transform`, in double (standardize and
/// binarize count as none). Throws an input error naming the row of a value that is not finite as a float.
FeatureStatistics feature_statistics(RowSource& source, double scale, Transform transform);

}  // namespace vae_dist
