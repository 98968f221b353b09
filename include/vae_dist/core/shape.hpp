#pragma once

#include <cstdint>
#include <functional>
#include <numeric>
#include <span>

namespace vae_dist {

/// How many elements an array of `shape` has; 1 for {}.
inline std::int64_t element_count(std::span<const std::int64_t> shape) {
    return std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
}

}  // namespace vae_dist
