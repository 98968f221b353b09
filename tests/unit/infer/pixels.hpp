#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <ostream>
#include <string>
#include <vector>

#include "vae_dist/infer/picture.hpp"

namespace vae_dist {

/// One pixel of a picture; of a grey one, the same in all channels.
struct Pixel {
    int red = 0;
    int green = 0;
    int blue = 0;

    bool operator==(const Pixel&) const = default;
    bool is_bluish() const { return blue > red + 30; }
    bool is_orange() const { return red > blue + 60; }
};

inline void PrintTo(const Pixel& pixel, std::ostream* out) {
    *out << "(" << pixel.red << ", " << pixel.green << ", " << pixel.blue << ")";
}

inline Pixel pixel_at(const Picture& picture, std::int64_t y, std::int64_t x) {
    const auto first = static_cast<std::size_t>((y * picture.width + x) * picture.channels);
    const std::uint8_t* values = picture.pixels.data() + first;
    return picture.channels == 1 ? Pixel{values[0], values[0], values[0]}
                                 : Pixel{values[0], values[1], values[2]};
}

inline Pixel grey(int value) {
    return {value, value, value};
}

/// A PNG file's contents.
inline std::string png_text(const Picture& picture) {
    const std::vector<std::byte> bytes = png_bytes(picture);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// A part of a picture.
inline Picture cut(const Picture& picture, std::int64_t top, std::int64_t left, std::int64_t height,
                   std::int64_t width) {
    Picture part = {height, width, picture.channels, {}};
    for (std::int64_t y = top; y < top + height; ++y) {
        const auto row = picture.pixels.begin() + (y * picture.width + left) * picture.channels;
        part.pixels.insert(part.pixels.end(), row, row + width * picture.channels);
    }
    return part;
}

/// The rectangle that encloses all pixels of a kind.
struct Extent {
    std::int64_t count = 0;
    std::int64_t top = 0, bottom = 0, left = 0, right = 0;
};

inline Extent extent_of(const Picture& picture, const std::function<bool(const Pixel&)>& kind) {
    Extent found = {0, picture.height, -1, picture.width, -1};
    for (std::int64_t y = 0; y < picture.height; ++y) {
        for (std::int64_t x = 0; x < picture.width; ++x) {
            if (!kind(pixel_at(picture, y, x))) continue;
            ++found.count;
            found.top = std::min(found.top, y);
            found.bottom = std::max(found.bottom, y);
            found.left = std::min(found.left, x);
            found.right = std::max(found.right, x);
        }
    }
    return found;
}

inline Extent bluish(const Picture& picture) {
    return extent_of(picture, [](const Pixel& pixel) { return pixel.is_bluish(); });
}

inline Extent orange(const Picture& picture) {
    return extent_of(picture, [](const Pixel& pixel) { return pixel.is_orange(); });
}

}  // namespace vae_dist
