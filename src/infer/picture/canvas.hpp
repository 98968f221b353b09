#pragma once

#include <cstdint>

#include "vae_dist/infer/picture.hpp"

namespace vae_dist {

struct Colour {
    std::uint8_t red = 0;
    std::uint8_t green = 0;
    std::uint8_t blue = 0;
};

struct Point {
    std::int64_t x = 0;
    std::int64_t y = 0;
};

/// A white picture to draw on. Coordinates are pixels from the top left; what lies outside is not drawn.
class Canvas {
 public:
    Canvas(std::int64_t height, std::int64_t width);

    /// A rectangle with its top left corner at `corner`; opacity 0 to 1.
    void fill(Point corner, std::int64_t height, std::int64_t width, Colour colour, double opacity = 1);
    void disc(Point centre, std::int64_t radius, Colour colour, double opacity);
    void line(Point from, Point to, std::int64_t thickness, Colour colour);
    /// A number >= 0 on a white ground, in digits of 3 x 5 squares of `square` pixels.
    void number(Point corner, std::int64_t value, std::int64_t square, Colour colour);

    /// The picture `factor` times smaller, each pixel the mean of a square: smooth edges.
    Picture shrunk(std::int64_t factor) const;

 private:
    Picture picture_;
};

}  // namespace vae_dist
