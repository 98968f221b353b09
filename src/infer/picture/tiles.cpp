#include "infer/picture/tiles.hpp"

#include <algorithm>

#include "vae_dist/core/error.hpp"

namespace vae_dist {
namespace {

void paste(const Picture& tile, std::int64_t top, std::int64_t left, Picture& whole) {
    const std::int64_t bytes = tile.width * tile.channels;
    for (std::int64_t y = 0; y < tile.height; ++y) {
        std::copy_n(tile.pixels.begin() + y * bytes, bytes,
                    whole.pixels.begin() + ((top + y) * whole.width + left) * whole.channels);
    }
}

}  // namespace

Picture tiled(std::int64_t count, std::int64_t columns, const Mat& mat,
              const std::function<Picture(std::int64_t)>& tile) {
    require(count > 0 && columns > 0, "there is something to show");
    columns = std::min(columns, count);
    const std::int64_t rows = (count + columns - 1) / columns;

    Picture next = tile(0);
    const std::int64_t down = next.height + mat.margin;
    const std::int64_t right = next.width + mat.margin;
    Picture whole = {rows * down + mat.margin, columns * right + mat.margin, next.channels, {}};
    whole.pixels.assign(static_cast<std::size_t>(whole.height * whole.width * whole.channels), mat.grey);
    for (std::int64_t i = 0; i < count; ++i) {
        if (i > 0) next = tile(i);
        paste(next, mat.margin + i / columns * down, mat.margin + i % columns * right, whole);
    }
    return whole;
}

}  // namespace vae_dist
