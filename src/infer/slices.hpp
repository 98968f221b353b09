#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "vae_dist/backend/backend.hpp"
#include "vae_dist/data/epoch_plan.hpp"

namespace vae_dist {

// Rows go through a model in slices, whose sizes decide how matrix products round: they follow from the data
// alone, never from the number of ranks.

/// The most rows that go through a model of so many features at once.
std::int64_t most_slice_rows(std::int64_t features);

/// `range` in slices of `most_rows` rows; the last may have fewer.
std::vector<RowRange> slices_of(const RowRange& range, std::int64_t most_rows);

/// A result as ranks hand it over: several arrays of float32 one after the other, each with one row for each
/// row of a range.
class ResultLayout {
 public:
    /// Numbers in a row of each array.
    explicit ResultLayout(std::vector<std::int64_t> columns);

    /// How many rows a range should have: few enough for a result of about 4 MiB, and whole slices where that
    /// holds one.
    std::int64_t range_rows(std::int64_t slice_rows) const;

    std::vector<std::byte> allocate(std::int64_t rows) const;
    /// All rows of one array.
    std::span<const float> part(std::span<const std::byte> result, std::size_t array) const;
    /// Rows [first, first + rows) of one array, to write to.
    std::span<float> part(std::span<std::byte> result, std::size_t array, std::int64_t first,
                          std::int64_t rows) const;

 private:
    std::vector<std::int64_t> columns_;
    std::int64_t all_columns_;
};

/// The matrix's rows, without gaps, to host memory of its size.
void copy_to_host(Backend& backend, ConstFloatMatrix from, std::span<float> to);

}  // namespace vae_dist
