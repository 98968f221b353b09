#pragma once

#include <cstdint>
#include <functional>

#include "vae_dist/infer/picture.hpp"

namespace vae_dist {

/// What lies between and around tiles.
struct Mat {
    std::int64_t margin;  ///< pixels
    std::uint8_t grey;
};

/// `count` pictures of one size and kind, `columns` in a row, in reading order. The last row may be short;
/// one row alone is only as wide as it has pictures.
Picture tiled(std::int64_t count, std::int64_t columns, const Mat& mat,
              const std::function<Picture(std::int64_t)>& tile);

}  // namespace vae_dist
