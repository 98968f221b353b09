#pragma once

#include <cstdint>

namespace vae_dist {

/// Consecutive rows of the data [first, first + rows).
struct RowRange {
    std::int64_t first = 0;
    std::int64_t rows = 0;
    std::int64_t end() const { return first + rows; }
    bool operator==(const RowRange&) const = default;
};

}  // namespace vae_dist
