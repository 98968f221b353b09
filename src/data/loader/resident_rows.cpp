#include "data/loader/resident_rows.hpp"

#include <algorithm>

namespace vae_dist {

const std::byte* RowTable::find(std::int64_t row, std::size_t row_bytes) const {
    const auto after =
        std::upper_bound(entries_.begin(), entries_.end(), row,
                         [](std::int64_t r, const Entry& entry) { return r < entry.rows.first; });
    if (after == entries_.begin()) return nullptr;
    const Entry& entry = *(after - 1);
    if (row >= entry.rows.end()) return nullptr;
    return entry.data + static_cast<std::size_t>(row - entry.rows.first) * row_bytes;
}

std::vector<RowRange> resident_ranges(const EpochPlan& plan, const std::vector<RowRange>& blocks,
                                      const VirtualRankRange& mine, CacheMode cache) {
    std::vector<RowRange> pieces;
    for (std::int64_t v = mine.first; v < mine.first + mine.count; ++v) {
        const auto shard = plan.shard(v);
        pieces.insert(pieces.end(), shard.begin(), shard.end());
    }
    const auto by_row = [](const RowRange& a, const RowRange& b) { return a.first < b.first; };
    std::sort(pieces.begin(), pieces.end(), by_row);

    std::vector<RowRange> ranges;
    for (std::size_t i = 0; i < pieces.size();) {
        RowRange joined = pieces[i];
        std::size_t parts = 1;
        while (i + parts < pieces.size() && pieces[i + parts].first == joined.end() &&
               !std::binary_search(blocks.begin(), blocks.end(), pieces[i + parts], by_row)) {
            joined.rows += pieces[i + parts].rows;
            ++parts;
        }
        if (cache == CacheMode::memory || parts > 1) ranges.push_back(joined);
        i += parts;
    }
    return ranges;
}

ResidentRows::ResidentRows(CheckedReader& rows, const EpochPlan& plan, const BatchLoaderOptions& options) {
    const std::size_t row_bytes = rows.source().row_bytes();
    const std::vector<RowRange> ranges =
        resident_ranges(plan, rows.source().blocks(), options.mine, options.cache);
    std::size_t total = 0;
    for (const RowRange& range : ranges)
        total += static_cast<std::size_t>(range.rows);
    bytes_ = std::make_unique_for_overwrite<std::byte[]>(total * row_bytes);
    std::byte* to = bytes_.get();
    for (const RowRange& range : ranges) {
        rows.read(range, to);
        table_.add(range, to);
        to += static_cast<std::size_t>(range.rows) * row_bytes;
    }
}

}  // namespace vae_dist
