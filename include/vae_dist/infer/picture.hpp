#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace vae_dist {

/// An 8-bit picture: grey (1 channel) or red, green, blue (3), row after row from the top left.
struct Picture {
    std::int64_t height = 0;
    std::int64_t width = 0;
    std::int64_t channels = 1;
    std::vector<std::uint8_t> pixels;  ///< (height, width, channels)
};

/// How samples of a shape can be shown.
struct ImageShape {
    std::int64_t height;
    std::int64_t width;
    std::int64_t channels;
};

/// H x W, H x W x 1 or H x W x 3, neither side longer than 4096; else none.
std::optional<ImageShape> image_shape(std::span<const std::int64_t> row_shape);

/// The numbers that black and white stand for; lowest < highest.
struct ValueSpan {
    float lowest = 0;
    float highest = 1;
};

/// Least and greatest finite number of `values`; {0, 1} where there is none or they are equal.
ValueSpan span_of(std::span<const float> values);

/// What all but the least and the greatest hundredth of the finite numbers of `values` lie in, which a few
/// wild ones do not stretch; as span_of where that is a single number.
ValueSpan span_of_most(std::span<const float> values);

/// Samples (N, H, W, channels), N >= 1, side by side on grey, `columns` in a row, in reading order, with a
/// margin around each; the last row may be short, and one row alone is only as wide as it has samples. Small
/// ones are enlarged by a whole number. Values beyond the span are clipped; NaN is shown black.
/// `samples.size()` is a multiple of the shape's size. The picture holds all samples: the caller bounds N.
Picture grid_of(std::span<const float> samples, const ImageShape& shape, std::int64_t columns,
                const ValueSpan& shown);

/// For samples that are not pictures: originals and reconstructions (N, D), N >= 1, as panels. Up to 64
/// features: one panel a feature, each sample a point, its original's value from left to right, its
/// reconstruction's from bottom to top, with the diagonal on which both are equal; both axes span the
/// originals. More features: one panel a sample, the numbers from left to right, the original as a broad dark
/// blue line and its reconstruction as a thin orange one, between the least and the greatest number of both.
/// Each panel has its number, from 0, in its top left corner. What is not finite is left out; what lies
/// beyond the axes is drawn at their end. Of larger N the first samples are shown (see samples_in_panels). At
/// most about 2000 x 2000 pixels.
Picture panels_of(std::span<const float> originals, std::span<const float> reconstructions,
                  std::int64_t features);

/// The same panels for samples (N, D) alone. Up to 64 features: one panel a feature, the samples' numbers in
/// the order of the samples from left to right. More: one panel for `together` samples in a row, such as the
/// steps of a walk, each a line, from dark blue to orange. Of larger N the first samples are shown.
Picture panels_of(std::span<const float> samples, std::int64_t features, std::int64_t together);

/// How many samples `panels_of` shows at the most; where samples belong together, whole groups of them.
std::int64_t samples_in_panels(std::int64_t features);
std::int64_t samples_in_panels(std::int64_t features, std::int64_t together);

/// The bytes of the picture as a PNG file. Throws ErrorKind::failure for a picture that libpng refuses.
std::vector<std::byte> png_bytes(const Picture& picture);

}  // namespace vae_dist
