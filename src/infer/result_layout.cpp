#include "infer/result_layout.hpp"

#include <algorithm>
#include <numeric>

#include "vae_dist/core/error.hpp"

namespace vae_dist {

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

std::pair<std::size_t, std::size_t> ResultLayout::place(std::size_t numbers, std::size_t array) const {
    const std::int64_t rows = static_cast<std::int64_t>(numbers) / all_columns_;
    const std::int64_t before = std::accumulate(
        columns_.begin(), columns_.begin() + static_cast<std::ptrdiff_t>(array), std::int64_t{0});
    return {static_cast<std::size_t>(before * rows), static_cast<std::size_t>(columns_[array] * rows)};
}

std::span<const float> ResultLayout::part(std::span<const std::byte> result, std::size_t array) const {
    const std::size_t numbers = result.size() / sizeof(float);
    const auto [begin, size] = place(numbers, array);
    return std::span(reinterpret_cast<const float*>(result.data()), numbers).subspan(begin, size);
}

std::span<float> ResultLayout::part(std::span<std::byte> result, std::size_t array, std::int64_t first,
                                    std::int64_t rows) const {
    const std::size_t numbers = result.size() / sizeof(float);
    const auto [begin, all] = place(numbers, array);
    const auto offset = static_cast<std::size_t>(first * columns_[array]);
    const auto size = static_cast<std::size_t>(rows * columns_[array]);
    require(offset + size <= all, "rows of a result are among its rows");
    return std::span(reinterpret_cast<float*>(result.data()), numbers).subspan(begin + offset, size);
}

}  // namespace vae_dist
