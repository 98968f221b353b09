#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "vae_dist/data/rows/row_source.hpp"
#include "vae_dist/data/rows/slice.hpp"
#include "vae_dist/data/rows/value_range.hpp"

namespace vae_dist {

class ValueCheck;

/// Rows of a source, read where they are asked for, each value checked as it is read.
class CheckedRows {
 public:
    CheckedRows(std::unique_ptr<RowSource> source, double scale, const ValueRange& allowed);
    ~CheckedRows();

    RowSource& source() const { return *source_; }

    /// The rows of a range as one slice, valid until the next call. Throws an input error naming the first
    /// row with a value that is not allowed, and the errors of reading.
    Slice read(const RowRange& range);

 private:
    std::unique_ptr<RowSource> source_;
    std::unique_ptr<ValueCheck> check_;
    std::vector<std::byte> raw_;
    std::vector<std::int64_t> rows_;
};

}  // namespace vae_dist
