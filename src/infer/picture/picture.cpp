#include "vae_dist/infer/picture.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace vae_dist {

std::optional<ImageShape> image_shape(std::span<const std::int64_t> row_shape) {
    constexpr std::int64_t kLongestSide = 4096;
    if (row_shape.size() != 2 && row_shape.size() != 3) return std::nullopt;
    const ImageShape shape = {row_shape[0], row_shape[1], row_shape.size() == 3 ? row_shape[2] : 1};
    const auto [shorter, longer] = std::minmax(shape.height, shape.width);
    if (shorter < 1 || longer > kLongestSide) return std::nullopt;
    if (shape.channels != 1 && shape.channels != 3) return std::nullopt;
    return shape;
}

ValueSpan span_of(std::span<const float> values) {
    ValueSpan span = {std::numeric_limits<float>::max(), std::numeric_limits<float>::lowest()};
    for (const float value : values) {
        if (!std::isfinite(value)) continue;
        span.lowest = std::min(span.lowest, value);
        span.highest = std::max(span.highest, value);
    }
    return span.lowest < span.highest ? span : ValueSpan();
}

}  // namespace vae_dist
