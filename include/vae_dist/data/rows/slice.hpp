#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace vae_dist {

/// One virtual rank's part of a batch, in the file's own numbers; valid until the next call of
/// BatchLoader::next.
struct Slice {
    std::int64_t virtual_rank = 0;
    std::span<const std::byte> raw;      ///< rows.size() * row_bytes, row after row
    std::span<const std::int64_t> rows;  ///< row number in the data of each sample; may be empty

    /// The samples [first, first + count) of it.
    Slice part(std::size_t first, std::size_t count) const {
        const std::size_t row_bytes = rows.empty() ? 0 : raw.size() / rows.size();
        return {virtual_rank, raw.subspan(first * row_bytes, count * row_bytes), rows.subspan(first, count)};
    }
};

}  // namespace vae_dist
