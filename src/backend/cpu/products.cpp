#include "backend/cpu/products.hpp"

#include <algorithm>

namespace vae_dist {

std::int64_t rows_a_piece(std::int64_t rows) {
    // Of products of transposed factors, pieces of 128 to 512 rows take as long as the whole.
    constexpr std::int64_t kLeast = 128;
    constexpr std::int64_t kMost = 512;
    return std::clamp((rows / 8 + kLeast - 1) / kLeast * kLeast, kLeast, kMost);
}

std::unique_ptr<MatrixProducts> make_products(Threads threads) {
    constexpr int kLanesOfAvx512 = 16;
    const int lanes = lanes_of_onednn_products();
    if (lanes >= kLanesOfAvx512 || lanes > lanes_of_blocked_products()) return make_onednn_products(threads);
    return make_blocked_products(threads);
}

}  // namespace vae_dist
