#include "backend/cpu/products.hpp"

#include <algorithm>

namespace vae_dist {

std::int64_t rows_a_piece(std::int64_t rows) {
    // Of products of transposed factors, pieces of 128 to 512 rows take as long as the whole.
    constexpr std::int64_t kLeast = 128;
    constexpr std::int64_t kMost = 512;
    return std::clamp((rows / 8 + kLeast - 1) / kLeast * kLeast, kLeast, kMost);
}

}  // namespace vae_dist
