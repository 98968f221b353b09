#include "infer/slices.hpp"

#include <algorithm>
#include <numeric>

#include "vae_dist/core/error.hpp"

namespace vae_dist {

std::int64_t most_slice_rows(std::int64_t features) {
    constexpr std::int64_t kMostRows = 256;
    constexpr std::int64_t kMostNumbers = std::int64_t{1} << 24;
    return std::clamp<std::int64_t>(kMostNumbers / std::max<std::int64_t>(features, 1), 1, kMostRows);
}

std::vector<RowRange> slices_of(const RowRange& range, std::int64_t most_rows) {
    std::vector<RowRange> slices;
    for (std::int64_t first = range.first; first < range.end(); first += most_rows)
        slices.push_back({first, std::min(most_rows, range.end() - first)});
    return slices;
}

ResultLayout::ResultLayout(std::vector<std::int64_t> columns)
    : columns_(std::move(columns)),
      all_columns_(std::accumulate(columns_.begin(), columns_.end(), std::int64_t{0})) {}

std::int64_t ResultLayout::range_rows(std::int64_t slice_rows) const {
    constexpr std::int64_t kMostNumbers = std::int64_t{1} << 20;
    constexpr std::int64_t kMostSlices = 4;  // small ranges share out evenly
    const std::int64_t rows = std::max<std::int64_t>(kMostNumbers / all_columns_, 1);
    return rows < slice_rows ? rows : std::min(rows / slice_rows, kMostSlices) * slice_rows;
}

std::vector<std::byte> ResultLayout::allocate(std::int64_t rows) const {
    return std::vector<std::byte>(static_cast<std::size_t>(rows * all_columns_) * sizeof(float));
}

std::span<const float> ResultLayout::part(std::span<const std::byte> result, std::size_t array) const {
    const auto rows = static_cast<std::int64_t>(result.size() / sizeof(float)) / all_columns_;
    const std::int64_t before = std::accumulate(
        columns_.begin(), columns_.begin() + static_cast<std::ptrdiff_t>(array), std::int64_t{0});
    const auto* const numbers = reinterpret_cast<const float*>(result.data());
    return {numbers + before * rows, static_cast<std::size_t>(rows * columns_[array])};
}

std::span<float> ResultLayout::part(std::span<std::byte> result, std::size_t array, std::int64_t first,
                                    std::int64_t rows) const {
    const std::span<const float> all = part(result, array);
    const std::size_t offset = static_cast<std::size_t>(first * columns_[array]);
    const auto size = static_cast<std::size_t>(rows * columns_[array]);
    require(offset + size <= all.size(), "rows of a result are among its rows");
    return {const_cast<float*>(all.data()) + offset, size};
}

void copy_to_host(Backend& backend, ConstFloatMatrix from, std::span<float> to) {
    require(static_cast<std::int64_t>(to.size()) == from.size(), "host memory has the matrix's size");
    if (from.stride == from.columns) {
        backend.copy_out(to.data(), from.data, to.size_bytes());
        return;
    }
    const std::size_t row_bytes = static_cast<std::size_t>(from.columns) * sizeof(float);
    for (std::int64_t r = 0; r < from.rows; ++r)
        backend.copy_out(to.data() + r * from.columns, from.row(r), row_bytes);
}

}  // namespace vae_dist
