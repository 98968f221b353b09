#include <algorithm>
#include <cmath>

#include "infer/picture/tiles.hpp"
#include "vae_dist/core/error.hpp"
#include "vae_dist/infer/picture.hpp"

namespace vae_dist {
namespace {

// Between black and white, so that dark and light images both stand off.
constexpr Mat kMat = {.margin = 3, .grey = 128};
constexpr std::int64_t kSmallestSide = 56;

std::int64_t enlargement(const ImageShape& shape) {
    const std::int64_t side = std::max(shape.height, shape.width);
    return (std::max(kSmallestSide, side) + side - 1) / side;
}

std::uint8_t brightness(float value, const ValueSpan& shown) {
    if (std::isnan(value)) return 0;
    const double lowest = shown.lowest;
    const double range = double{shown.highest} - lowest;
    return static_cast<std::uint8_t>(std::lround(255 * std::clamp((value - lowest) / range, 0.0, 1.0)));
}

/// One sample (H, W, channels), each of its pixels a square of `factor` x `factor`.
Picture cell_of(std::span<const float> sample, const ImageShape& shape, std::int64_t factor,
                const ValueSpan& shown) {
    Picture cell = {shape.height * factor, shape.width * factor, shape.channels, {}};
    cell.pixels.reserve(static_cast<std::size_t>(cell.height * cell.width * cell.channels));
    for (std::int64_t y = 0; y < cell.height; ++y) {
        for (std::int64_t x = 0; x < cell.width; ++x) {
            const std::int64_t from = (y / factor * shape.width + x / factor) * shape.channels;
            for (std::int64_t channel = 0; channel < shape.channels; ++channel) {
                cell.pixels.push_back(brightness(sample[static_cast<std::size_t>(from + channel)], shown));
            }
        }
    }
    return cell;
}

}  // namespace

Picture grid_of(std::span<const float> samples, const ImageShape& shape, std::int64_t columns,
                const ValueSpan& shown) {
    const auto size = static_cast<std::size_t>(shape.height * shape.width * shape.channels);
    require(size > 0 && samples.size() % size == 0, "a grid has whole samples");
    require(shown.lowest < shown.highest, "black stands for less than white");
    const std::int64_t factor = enlargement(shape);
    return tiled(static_cast<std::int64_t>(samples.size() / size), columns, kMat, [&](std::int64_t i) {
        return cell_of(samples.subspan(static_cast<std::size_t>(i) * size, size), shape, factor, shown);
    });
}

}  // namespace vae_dist
