#pragma once

#include <cstdint>

#include "vae_dist/core/matrix_view.hpp"
#include "vae_dist/core/require.hpp"

namespace vae_dist {

/// How many adjacent rows, of all draws, belong to one sample.
inline std::int64_t rows_a_sample(std::int64_t rows, std::int64_t samples) {
    if (samples == 0) return 1;
    require(rows % samples == 0, "every sample has equally many rows");
    return rows / samples;
}
inline std::int64_t rows_a_sample(ConstFloatMatrix output, ConstFloatMatrix x) {
    return rows_a_sample(output.rows, x.rows);
}

}  // namespace vae_dist
