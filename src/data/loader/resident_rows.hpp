#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "data/rows/value_check.hpp"
#include "vae_dist/data/loader/batch_loader.hpp"

namespace vae_dist {

/// Where in memory rows lie.
class RowTable {
 public:
    void clear() { entries_.clear(); }
    /// Ranges are added in row order and do not overlap.
    void add(const RowRange& rows, const std::byte* data) { entries_.push_back({rows, data}); }
    /// The bytes of `row`; null if it is not in the table.
    const std::byte* find(std::int64_t row, std::size_t row_bytes) const;

 private:
    struct Entry {
        RowRange rows;
        const std::byte* data;
    };
    std::vector<Entry> entries_;
};

/// Reads rows of a source into memory of the caller's, each value checked. (CheckedRows has its own memory.)
class CheckedReader {
 public:
    CheckedReader(std::unique_ptr<RowSource> source, double scale, const ValueRange& allowed)
        : source_(std::move(source)), check_(*source_, scale, allowed) {}

    const RowSource& source() const { return *source_; }
    void read(const RowRange& rows, std::byte* to) {
        source_->read(rows.first, rows.rows, to);
        check_.check(*source_, rows.first, rows.rows, to);
    }

 private:
    std::unique_ptr<RowSource> source_;
    ValueCheck check_;
};

/// The rows, in row order, that a rank reads once and keeps: in `memory` mode all of its shards, in `stream`
/// mode the parts of blocks that several of its virtual ranks share, which would else be read by each of
/// them. No range is more than a block.
std::vector<RowRange> resident_ranges(const EpochPlan& plan, const std::vector<RowRange>& blocks,
                                      const VirtualRankRange& mine, CacheMode cache);

/// Those rows, read.
class ResidentRows {
 public:
    ResidentRows(CheckedReader& rows, const EpochPlan& plan, const BatchLoaderOptions& options);
    const RowTable& table() const { return table_; }

 private:
    std::unique_ptr<std::byte[]> bytes_;
    RowTable table_;
};

}  // namespace vae_dist
