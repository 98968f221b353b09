#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "vae_dist/core/log.hpp"

namespace vae_dist {

/// Counts rows of a result that are not finite, as of data too large for the model: the rows are
/// independent, so that the others are still of use, but the user has to be told.
class NonFiniteRows {
 public:
    /// Rows from `first_row` on, of `columns` numbers each.
    void look_at(std::int64_t first_row, std::span<const float> values, std::int64_t columns);
    /// A warning, if there are any: "2 rows of x.h5:x gave numbers that are not finite, first row 7".
    void warn(const std::string& data, const Log& log) const;

 private:
    std::int64_t count_ = 0;
    std::int64_t first_ = 0;
};

}  // namespace vae_dist
