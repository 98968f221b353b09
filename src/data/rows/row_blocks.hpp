#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "vae_dist/data/rows/row_range.hpp"

namespace vae_dist {

/// Enough bytes for a read that a file system serves at its full rate, few enough for a fine shuffle.
inline constexpr std::int64_t kBlockBytes = std::int64_t{128} << 10;

/// Cuts `table` into blocks of whole chunks of `chunk_rows` rows, of kBlockBytes at least, and appends them.
inline void append_blocks(RowRange table, std::int64_t chunk_rows, std::int64_t row_bytes,
                          std::vector<RowRange>& blocks) {
    const std::int64_t chunk_bytes = chunk_rows * row_bytes;
    const std::int64_t block_rows = chunk_rows * ((kBlockBytes + chunk_bytes - 1) / chunk_bytes);
    for (std::int64_t first = table.first; first < table.end(); first += block_rows) {
        blocks.push_back({first, std::min(block_rows, table.end() - first)});
    }
}

}  // namespace vae_dist
