#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "vae_dist/data/hdf5.hpp"

namespace vae_dist::hdf5 {

/// Rows [first, end).
struct RowsIn {
    std::int64_t first = 0;
    std::int64_t end = 0;
};

/// Rows that are stored nowhere, in order; HDF5 would give the fill value for some of their numbers or all.
struct UnstoredRows {
    std::vector<RowsIn> ranges = {};  ///< not empty, disjoint
    std::int64_t of = 0;              ///< rows in the dataset
    std::string why;                  ///< "were never written"

    std::int64_t count() const;
    /// "rows 20 to 49 were never written: 30 of 50 (60%)".
    std::string text() const;
};

/// Chunks and contiguous data that were never written, parts of a virtual dataset that no other one is mapped
/// to, sources of it that are too small or have such rows themselves, and external files that are too short.
/// Absent if every row is stored. Throws an input error if an external file is missing.
std::optional<UnstoredRows> find_unstored_rows(const File& file, const std::string& dataset,
                                               SampleDimension samples = SampleDimension::first);

namespace detail {

/// The same; `depth` counts the virtual datasets that led here, which may lead round in a circle.
std::optional<UnstoredRows> find_unstored_rows(const File& file, const std::string& dataset,
                                               SampleDimension samples, int depth);

/// The same of a virtual dataset.
std::optional<UnstoredRows> find_unmapped_rows(const File& file, const std::string& dataset,
                                               SampleDimension samples, int depth);

}  // namespace detail

}  // namespace vae_dist::hdf5
