#include "infer/slices.hpp"

#include <algorithm>

namespace vae_dist {

std::int64_t most_slice_rows(std::int64_t features) {
    constexpr std::int64_t kMostSliceRows = 256;
    constexpr std::int64_t kMostNumbers = std::int64_t{1} << 24;
    return std::clamp<std::int64_t>(kMostNumbers / std::max<std::int64_t>(features, 1), 1, kMostSliceRows);
}

std::vector<RowRange> slices_of(const RowRange& range, std::int64_t most_rows) {
    std::vector<RowRange> slices;
    for (std::int64_t first = range.first; first < range.end(); first += most_rows)
        slices.push_back({first, std::min(most_rows, range.end() - first)});
    return slices;
}

}  // namespace vae_dist
