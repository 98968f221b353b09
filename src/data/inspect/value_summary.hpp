#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "vae_dist/data/hdf5/hdf5.hpp"

namespace vae_dist {

/// What the first rows of a dataset hold.
struct ValueSummary {
    std::int64_t rows = 0;  ///< looked at
    bool all_rows = false;  ///< there are no more
    std::int64_t values = 0;
    std::int64_t finite = 0;
    std::int64_t zeros = 0;
    std::int64_t marks = 0;  ///< values that are one of the marks asked for
    double lowest = 0;       ///< of the finite ones, as highest and mean
    double highest = 0;
    double mean = 0;
    bool whole = true;        ///< every finite one is a whole number
    bool counts_up = true;    ///< each is the one before it plus one
    std::int64_t levels = 0;  ///< different ones among the finite; 65 stands for more than 64
};

/// Reads up to 2^20 numbers; none where the dataset is empty or one row is longer. `marks` are numbers to be
/// counted. Throws what reading throws.
std::optional<ValueSummary> summarise_values(const std::string& path, const std::string& dataset,
                                             const hdf5::DatasetInfo& info, std::span<const double> marks);

/// "values 0 to 255, mean 33.3 in the first 1,337 rows; 2 NaN or infinite".
std::string describe_values(const ValueSummary& summary);

}  // namespace vae_dist
