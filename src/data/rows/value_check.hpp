#pragma once

#include <cstddef>
#include <cstdint>

#include "vae_dist/data/rows/row_source.hpp"
#include "vae_dist/data/rows/value_range.hpp"

namespace vae_dist {

/// Whether the numbers of a source's samples, times `scale`, stay inside a range, looked at as they are read.
class ValueCheck {
 public:
    ValueCheck(const RowSource& source, double scale, const ValueRange& allowed);

    /// Throws an input error that names the first row of `source` with a value that is not allowed; `raw`
    /// holds the rows [first, first + count).
    void check(const RowSource& source, std::int64_t first, std::int64_t count, const std::byte* raw) const;

 private:
    ElementType type_;
    std::int64_t features_;
    std::size_t row_bytes_;
    double scale_;
    ValueRange allowed_;
    bool always_inside_;  // no number that the type can express is outside
};

}  // namespace vae_dist
