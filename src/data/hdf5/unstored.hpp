#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "vae_dist/data/hdf5/hdf5.hpp"

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
    std::string why_one;              ///< the same of one row: "was never written"
    bool in_part = false;             ///< these rows have some of their numbers
    /// Of a matrix, what each of these rows lacks; empty where they lack all, or not all lack the same.
    std::vector<RowsIn> columns = {};

    std::int64_t count() const;
    /// "rows 20 to 49 were never written: 30 of 50 (60%)"; where they are in part, "columns 2 to 3 of rows 20
    /// to 49 were never written: in 30 of 50 rows (60%)", or "parts of rows ...".
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

/// How many there are in ranges that are disjoint.
std::int64_t count_of(const std::vector<RowsIn>& ranges);

/// The same of a virtual dataset.
std::optional<UnstoredRows> find_unmapped_rows(const File& file, const std::string& dataset,
                                               SampleDimension samples, int depth);

}  // namespace detail

}  // namespace vae_dist::hdf5
