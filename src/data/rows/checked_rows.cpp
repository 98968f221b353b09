#include "vae_dist/data/rows/checked_rows.hpp"

#include <numeric>

#include "data/rows/value_check.hpp"

namespace vae_dist {

CheckedRows::CheckedRows(std::unique_ptr<RowSource> source, double scale, const ValueRange& allowed)
    : source_(std::move(source)), check_(std::make_unique<ValueCheck>(*source_, scale, allowed)) {}

CheckedRows::~CheckedRows() = default;

Slice CheckedRows::read(const RowRange& range) {
    raw_.resize(static_cast<std::size_t>(range.rows) * source_->row_bytes());
    rows_.resize(static_cast<std::size_t>(range.rows));
    std::iota(rows_.begin(), rows_.end(), range.first);
    source_->read(range.first, range.rows, raw_.data());
    check_->check(*source_, range.first, range.rows, raw_.data());
    return {.raw = raw_, .rows = rows_};
}

}  // namespace vae_dist
