#pragma once

#include <cstdint>

#include "vae_dist/core/matrix_view.hpp"
#include "vae_dist/core/require.hpp"

namespace vae_dist {

/// How many adjacent rows of the decoder's output belong to one row of x.
inline std::int64_t rows_a_sample(ConstFloatMatrix output, ConstFloatMatrix x) {
    if (x.rows == 0) return 1;
    require(output.rows % x.rows == 0, "every sample has equally many rows of the decoder's output");
    return output.rows / x.rows;
}

}  // namespace vae_dist
