#include <png.h>

#include <cstddef>
#include <utility>

#include "vae_dist/core/error.hpp"
#include "vae_dist/infer/picture.hpp"

namespace vae_dist {

std::vector<std::byte> png_bytes(const Picture& picture) {
    require(picture.channels == 1 || picture.channels == 3, "a picture is grey or coloured");
    require(
        picture.pixels.size() == static_cast<std::size_t>(picture.height * picture.width * picture.channels),
        "a picture has all its pixels");
    if (!std::in_range<png_uint_32>(picture.height) || !std::in_range<png_uint_32>(picture.width)) {
        throw_failure("{} x {} pixels are too many for a PNG file", picture.height, picture.width);
    }

    // libpng's simplified interface: it returns where the rest of libpng jumps.
    png_image image{};
    image.version = PNG_IMAGE_VERSION;
    image.height = static_cast<png_uint_32>(picture.height);
    image.width = static_cast<png_uint_32>(picture.width);
    image.format = picture.channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB;
    png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(image);
    std::vector<std::byte> file(size);
    constexpr int kStay8Bit = 0, kRowsTouch = 0;
    if (!png_image_write_to_memory(&image, file.data(), &size, kStay8Bit, picture.pixels.data(), kRowsTouch,
                                   nullptr)) {
        throw_failure("cannot make a PNG file: libpng says: {}", image.message);
    }
    file.resize(size);
    return file;
}

}  // namespace vae_dist
