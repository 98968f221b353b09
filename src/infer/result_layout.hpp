#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace vae_dist {

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
    /// Where an array of a result of `numbers` numbers begins, and its length.
    std::pair<std::size_t, std::size_t> place(std::size_t numbers, std::size_t array) const;

    std::vector<std::int64_t> columns_;
    std::int64_t all_columns_;
};

}  // namespace vae_dist
