#include "infer/picture/canvas.hpp"

#include <gtest/gtest.h>

#include <string>

#include "unit/infer/pixels.hpp"

namespace vae_dist {
namespace {

constexpr Colour kBlack = {0, 0, 0};

/// What is drawn: '#' black, '.' white, '?' anything else.
std::string seen(const Canvas& canvas) {
    const Picture picture = canvas.shrunk(1);
    std::string text;
    for (std::int64_t y = 0; y < picture.height; ++y) {
        for (std::int64_t x = 0; x < picture.width; ++x) {
            const Pixel pixel = pixel_at(picture, y, x);
            text += pixel == grey(0) ? '#' : pixel == grey(255) ? '.' : '?';
        }
        text += '\n';
    }
    return text;
}

TEST(Canvas, WritesDigits) {
    Canvas low(5, 19);
    low.number({0, 0}, 12345, 1, kBlack);
    EXPECT_EQ(seen(low),
              ".#..###.###.#.#.###\n"
              "##....#...#.#.#.#..\n"
              ".#..###..##.###.###\n"
              ".#..#.....#...#...#\n"
              "###.###.###...#.###\n");
    Canvas high(5, 19);
    high.number({0, 0}, 67890, 1, kBlack);
    EXPECT_EQ(seen(high),
              "###.###.###.###.###\n"
              "#.....#.#.#.#.#.#.#\n"
              "###...#.###.###.#.#\n"
              "#.#...#.#.#...#.#.#\n"
              "###...#.###.###.###\n");
}

TEST(Canvas, WritesNumbersOnAGroundOfTheirOwn) {
    Canvas canvas(16, 10);
    canvas.fill({0, 0}, 16, 10, kBlack);
    canvas.number({2, 2}, 7, 2, kBlack);
    EXPECT_EQ(seen(canvas),
              "..........\n"
              "..........\n"
              "..######..\n"
              "..######..\n"
              "......##..\n"
              "......##..\n"
              "......##..\n"
              "......##..\n"
              "......##..\n"
              "......##..\n"
              "......##..\n"
              "......##..\n"
              "..........\n"
              "..........\n"
              "##########\n"
              "##########\n");
}

TEST(Canvas, DrawsLinesToBothEnds) {
    Canvas canvas(4, 6);
    canvas.line({0, 3}, {5, 0}, 1, kBlack);
    canvas.line({1, 0}, {1, 0}, 1, kBlack);
    EXPECT_EQ(seen(canvas),
              ".#...#\n"
              "...##.\n"
              ".##...\n"
              "#.....\n");
}

TEST(Canvas, DrawsNothingOutside) {
    Canvas canvas(3, 3);
    canvas.disc({0, 0}, 1, kBlack, 1);
    canvas.fill({2, 2}, 5, 5, kBlack);
    canvas.fill({-5, -5}, 2, 2, kBlack);
    canvas.line({-1, 9}, {9, 9}, 3, kBlack);
    EXPECT_EQ(seen(canvas),
              "##.\n"
              "#..\n"
              "..#\n");
}

TEST(Canvas, MixesColoursByOpacity) {
    Canvas canvas(1, 1);
    canvas.fill({0, 0}, 1, 1, {55, 155, 255}, 0.5);
    EXPECT_EQ(pixel_at(canvas.shrunk(1), 0, 0), (Pixel{155, 205, 255}));
}

TEST(Canvas, ShrinksToTheMeanOfSquares) {
    Canvas canvas(2, 4);
    canvas.fill({1, 0}, 1, 1, {255, 0, 0});
    canvas.fill({2, 0}, 2, 2, {10, 20, 30});
    const Picture small = canvas.shrunk(2);
    ASSERT_EQ(small.height, 1);
    ASSERT_EQ(small.width, 2);
    EXPECT_EQ(pixel_at(small, 0, 0), (Pixel{255, 191, 191}));
    EXPECT_EQ(pixel_at(small, 0, 1), (Pixel{10, 20, 30}));
}

}  // namespace
}  // namespace vae_dist
