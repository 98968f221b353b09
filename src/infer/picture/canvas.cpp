#include "infer/picture/canvas.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

namespace vae_dist {
namespace {

constexpr std::int64_t kDigitHeight = 5;
constexpr std::int64_t kDigitWidth = 3;
constexpr std::array<std::string_view, 10> kDigits = {
    "####.##.##.####", ".#.##..#..#.###", "###..#####..###", "###..#.##..####", "#.##.####..#..#",
    "####..###..####", "####..####.####", "###..#..#..#..#", "####.#####.####", "####.####..####"};

std::uint8_t blend(std::uint8_t below, std::uint8_t above, double opacity) {
    return static_cast<std::uint8_t>(std::lround(below + opacity * (above - below)));
}

}  // namespace

Canvas::Canvas(std::int64_t height, std::int64_t width) : picture_{height, width, 3, {}} {
    picture_.pixels.assign(static_cast<std::size_t>(height * width * 3), 255);
}

void Canvas::fill(Point corner, std::int64_t height, std::int64_t width, Colour colour, double opacity) {
    const std::int64_t bottom = std::min(corner.y + height, picture_.height);
    const std::int64_t right = std::min(corner.x + width, picture_.width);
    for (std::int64_t y = std::max<std::int64_t>(corner.y, 0); y < bottom; ++y) {
        for (std::int64_t x = std::max<std::int64_t>(corner.x, 0); x < right; ++x) {
            std::uint8_t* pixel = picture_.pixels.data() + (y * picture_.width + x) * 3;
            pixel[0] = blend(pixel[0], colour.red, opacity);
            pixel[1] = blend(pixel[1], colour.green, opacity);
            pixel[2] = blend(pixel[2], colour.blue, opacity);
        }
    }
}

void Canvas::disc(Point centre, std::int64_t radius, Colour colour, double opacity) {
    for (std::int64_t dy = -radius; dy <= radius; ++dy) {
        const auto half = static_cast<std::int64_t>(std::sqrt(radius * radius - dy * dy));
        fill({centre.x - half, centre.y + dy}, 1, 2 * half + 1, colour, opacity);
    }
}

void Canvas::line(Point from, Point to, std::int64_t thickness, Colour colour) {
    const double right = static_cast<double>(to.x - from.x);
    const double down = static_cast<double>(to.y - from.y);
    const double steps = std::max({std::abs(right), std::abs(down), 1.0});
    for (double i = 0; i <= steps; ++i) {
        const Point centre = {from.x + std::lround(right * i / steps),
                              from.y + std::lround(down * i / steps)};
        fill({centre.x - thickness / 2, centre.y - thickness / 2}, thickness, thickness, colour);
    }
}

void Canvas::number(Point corner, std::int64_t value, std::int64_t square, Colour colour) {
    constexpr Colour kWhite = {255, 255, 255};
    const std::string digits = fmt::format("{}", value);
    const std::int64_t advance = (kDigitWidth + 1) * square;
    fill({corner.x - square, corner.y - square}, (kDigitHeight + 2) * square,
         advance * static_cast<std::int64_t>(digits.size()) + square, kWhite);
    for (const char digit : digits) {
        const std::string_view squares = kDigits[static_cast<std::size_t>(digit - '0')];
        for (std::int64_t i = 0; i < kDigitHeight * kDigitWidth; ++i) {
            if (squares[static_cast<std::size_t>(i)] != '#') continue;
            fill({corner.x + i % kDigitWidth * square, corner.y + i / kDigitWidth * square}, square, square,
                 colour);
        }
        corner.x += advance;
    }
}

Picture Canvas::shrunk(std::int64_t factor) const {
    Picture small = {picture_.height / factor, picture_.width / factor, 3, {}};
    small.pixels.reserve(static_cast<std::size_t>(small.height * small.width * 3));
    for (std::int64_t i = 0; i < small.height * small.width * 3; ++i) {
        const std::int64_t channel = i % 3;
        const std::int64_t left = i / 3 % small.width * factor;
        const std::int64_t top = i / 3 / small.width * factor;
        std::int64_t sum = 0;
        for (std::int64_t y = top; y < top + factor; ++y) {
            for (std::int64_t x = left; x < left + factor; ++x) {
                sum += picture_.pixels[static_cast<std::size_t>((y * picture_.width + x) * 3 + channel)];
            }
        }
        small.pixels.push_back(static_cast<std::uint8_t>((sum + factor * factor / 2) / (factor * factor)));
    }
    return small;
}

}  // namespace vae_dist
