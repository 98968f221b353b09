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

ValueSpan span_of_most(std::span<const float> values) {
    std::vector<float> finite;
    std::ranges::copy_if(values, std::back_inserter(finite),
                         [](float value) { return std::isfinite(value); });
    if (finite.empty()) return {};
    const auto quantile = [&](std::size_t hundredths) {
        const auto at = finite.begin() + static_cast<std::ptrdiff_t>((finite.size() - 1) * hundredths / 100);
        std::nth_element(finite.begin(), at, finite.end());
        return *at;
    };
    const ValueSpan most = {quantile(1), quantile(99)};
    return most.lowest < most.highest ? most : span_of(values);
}

}  // namespace vae_dist
