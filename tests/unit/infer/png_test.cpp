#include <gtest/gtest.h>
#include <png.h>

#include <limits>
#include <stdexcept>
#include <vector>

#include "support/expect_error.hpp"
#include "support/temporary_folder.hpp"
#include "unit/infer/pixels.hpp"
#include "vae_dist/core/files.hpp"
#include "vae_dist/infer/picture.hpp"

namespace vae_dist {
namespace {

/// A PNG file as libpng reads it, with the channels that the file has.
Picture read_png(const std::string& path) {
    png_image image{};
    image.version = PNG_IMAGE_VERSION;
    if (!png_image_begin_read_from_file(&image, path.c_str())) throw std::runtime_error(image.message);
    Picture picture = {image.height, image.width, PNG_IMAGE_PIXEL_CHANNELS(image.format), {}};
    picture.pixels.resize(PNG_IMAGE_SIZE(image));
    if (!png_image_finish_read(&image, nullptr, picture.pixels.data(), 0, nullptr)) {
        throw std::runtime_error(image.message);
    }
    return picture;
}

void write_png(const std::string& path, const Picture& picture) {
    write_file_atomically(path, png_text(picture));
}

/// A picture without symmetry or repetition that a mistake could hide behind.
Picture some_picture(std::int64_t height, std::int64_t width, std::int64_t channels) {
    Picture picture = {height, width, channels, {}};
    for (std::int64_t i = 0; i < height * width * channels; ++i) {
        picture.pixels.push_back(static_cast<std::uint8_t>(i * i % 251));
    }
    return picture;
}

TEST(Png, AnotherReaderSeesThePicture) {
    const TemporaryFolder folder;
    for (const std::int64_t channels : {1, 3}) {
        const Picture written = some_picture(5, 7, channels);
        write_png(folder.file("picture.png"), written);
        const Picture read = read_png(folder.file("picture.png"));
        EXPECT_EQ(read.height, 5);
        EXPECT_EQ(read.width, 7);
        EXPECT_EQ(read.channels, channels);
        EXPECT_EQ(read.pixels, written.pixels);
    }
}

TEST(Png, AGridIsUpright) {
    const TemporaryFolder folder;
    // An L and its mirror image.
    const std::vector<float> samples = {1, 0, 0, 1, 0, 0, 1, 1, 1, 0, 0, 1, 0, 0, 1, 1, 1, 1};
    write_png(folder.file("grid.png"), grid_of(samples, {3, 3, 1}, 2, {0, 1}));
    const Picture grid = read_png(folder.file("grid.png"));
    std::string seen;
    for (const std::int64_t y : {13, 32, 51}) {
        for (const std::int64_t x : {13, 32, 51, 73, 92, 111}) {
            seen += pixel_at(grid, y, x) == grey(255) ? '#' : '.';
        }
        seen += '\n';
    }
    EXPECT_EQ(seen,
              "#....#\n"
              "#....#\n"
              "######\n");
}

TEST(Png, EqualPicturesGiveEqualFiles) {
    const TemporaryFolder folder;
    write_png(folder.file("a.png"), some_picture(40, 30, 3));
    write_png(folder.file("b.png"), some_picture(40, 30, 3));
    EXPECT_EQ(read_text_file(folder.file("a.png")), read_text_file(folder.file("b.png")));
}

TEST(Png, TheFileEndsWithThePicture) {
    const TemporaryFolder folder;
    write_png(folder.file("a.png"), some_picture(40, 30, 3));
    EXPECT_TRUE(read_text_file(folder.file("a.png")).ends_with("IEND\xae\x42\x60\x82"));
}

TEST(Png, PicturesThatCompressBadlyFit) {
    const TemporaryFolder folder;
    Picture noise = {200, 200, 3, {}};
    std::uint32_t state = 1;
    for (std::int64_t i = 0; i < 200 * 200 * 3; ++i) {
        state = state * 1664525U + 1013904223U;
        noise.pixels.push_back(static_cast<std::uint8_t>(state >> 24U));
    }
    write_png(folder.file("noise.png"), noise);
    EXPECT_EQ(read_png(folder.file("noise.png")).pixels, noise.pixels);
}

TEST(Png, WhatLibpngRefusesIsAFailure) {
    expect_error(ErrorKind::failure, {"libpng"}, [] { png_bytes(some_picture(1, 1'000'001, 1)); });
    expect_error(ErrorKind::failure, {"libpng"}, [] { png_bytes(Picture()); });
}

TEST(Png, RefusesAPictureWithoutAllItsPixels) {
    Picture picture = some_picture(4, 4, 1);
    picture.pixels.pop_back();
    expect_error(ErrorKind::bug, {"all its pixels"}, [&] { png_bytes(picture); });
    expect_error(ErrorKind::bug, {"grey or coloured"}, [&] { png_bytes(some_picture(4, 4, 2)); });
}

}  // namespace
}  // namespace vae_dist
