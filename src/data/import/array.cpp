#include "data/import/array.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "vae_dist/core/error.hpp"
#include "vae_dist/core/shape.hpp"
#include "vae_dist/core/text.hpp"

namespace vae_dist {

namespace {

void reverse_bytes(std::span<std::byte> numbers, std::size_t width) {
    for (std::size_t at = 0; at + width <= numbers.size(); at += width) {
        std::reverse(numbers.begin() + static_cast<std::ptrdiff_t>(at),
                     numbers.begin() + static_cast<std::ptrdiff_t>(at + width));
    }
}

// IEEE 754's binary16, of which every value is a float.
float half_to_float(std::uint16_t half) {
    const int exponent = half >> 10 & 31;
    const int mantissa = half & 1023;
    float magnitude = 0;
    if (exponent == 31) {
        magnitude =
            mantissa == 0 ? std::numeric_limits<float>::infinity() : std::numeric_limits<float>::quiet_NaN();
    } else if (exponent == 0) {
        magnitude = std::ldexp(static_cast<float>(mantissa), -24);
    } else {
        magnitude = std::ldexp(static_cast<float>(mantissa + 1024), exponent - 25);
    }
    return (half >> 15) != 0 ? -magnitude : magnitude;
}

std::vector<std::byte> widen_halves(std::span<const std::byte> halves) {
    std::vector<std::byte> floats(2 * halves.size());
    for (std::size_t i = 0; i < halves.size() / 2; ++i) {
        std::uint16_t half = 0;
        std::memcpy(&half, halves.data() + 2 * i, sizeof half);
        const float value = half_to_float(half);
        std::memcpy(floats.data() + 4 * i, &value, sizeof value);
    }
    return floats;
}

std::size_t input_width(const ArrayInput& array) {
    return array.half_floats ? 2 : element_bytes(array.type);
}

// Memory grows with what the file holds: a damaged header may say anything.
void read_block(ImportInput& input, std::size_t bytes, std::int64_t end, std::vector<std::byte>& block) {
    constexpr std::size_t kPiece = std::size_t{16} << 20;
    block.clear();
    while (block.size() < bytes) {
        const std::size_t before = block.size();
        block.resize(std::min(bytes, before + kPiece));
        input.read_exactly(std::span(block).subspan(before), end);
    }
}

}  // namespace

void check_shape(const ArrayInput& array, const ImportInput& input) {
    constexpr std::size_t kMostDimensions = H5S_MAX_RANK;
    constexpr std::int64_t kMostRowBytes = std::int64_t{1} << 31;  // a chunk of HDF5 has fewer than 4 GiB
    const std::vector<std::int64_t>& shape = array.shape;
    if (shape.empty()) throw_input_error("'{}' holds a single number, not rows of data", input.path());
    if (shape.size() > kMostDimensions) {
        throw_input_error("'{}' has {} dimensions, more than HDF5's {}", input.path(), shape.size(),
                          kMostDimensions);
    }
    if (std::ranges::any_of(shape, [](std::int64_t size) { return size < 1; })) {
        throw_input_error("'{}' holds no data: its shape is {}", input.path(), format_shape(shape));
    }
    auto room = kMostRowBytes / static_cast<std::int64_t>(element_bytes(array.type));
    for (std::size_t d = 1; d < shape.size(); ++d)
        room /= shape[d];
    if (room == 0 || shape[0] > std::numeric_limits<std::int64_t>::max() / kMostRowBytes) {
        throw_input_error("'{}' is too large, or its header is damaged: its shape is {}", input.path(),
                          format_shape(shape));
    }
}

void copy_array(ImportInput& input, const ArrayInput& array, const std::string& dataset,
                ImportOutput& output) {
    check_shape(array, input);
    const std::int64_t rows = array.shape.front();
    const std::int64_t row_elements = element_count(std::span(array.shape).subspan(1));
    const auto width = static_cast<std::int64_t>(input_width(array));
    const std::int64_t chunk_rows =
        hdf5::chunk_rows_for(row_elements * static_cast<std::int64_t>(element_bytes(array.type)), rows);
    hdf5::RowWriter writer =
        output.create_rows(dataset, {.row_shape = {array.shape.begin() + 1, array.shape.end()},
                                     .type = array.type,
                                     .chunk_rows = chunk_rows});

    constexpr std::int64_t kBytesAtOnce = std::int64_t{4} << 20;
    const std::int64_t chunk_bytes = chunk_rows * row_elements * width;
    const std::int64_t rows_at_once = chunk_rows * std::max(std::int64_t{1}, kBytesAtOnce / chunk_bytes);
    const std::int64_t end = input.position() + rows * row_elements * width;
    std::vector<std::byte> block;
    for (std::int64_t row = 0; row < rows; row += rows_at_once) {
        const std::int64_t count = std::min(rows_at_once, rows - row);
        read_block(input, static_cast<std::size_t>(count * row_elements * width), end, block);
        if (array.order != std::endian::native) reverse_bytes(block, static_cast<std::size_t>(width));
        if (array.half_floats) block = widen_halves(block);
        writer.append(count, block.data());
    }
    input.require_end();
    writer.close();
    output.file().write_attribute(dataset, "source", input.name());
}

}  // namespace vae_dist
