#include <fmt/format.h>

#include <array>

#include "data/import/array.hpp"
#include "vae_dist/core/error.hpp"
#include "vae_dist/core/text.hpp"

namespace vae_dist {

namespace {

std::optional<ElementType> idx_type(std::byte code) {
    switch (std::to_integer<int>(code)) {
        case 0x08:
            return ElementType::uint8;
        case 0x09:
            return ElementType::int8;
        case 0x0b:
            return ElementType::int16;
        case 0x0c:
            return ElementType::int32;
        case 0x0d:
            return ElementType::float32;
        case 0x0e:
            return ElementType::float64;
        default:
            return std::nullopt;
    }
}

// The header: two zeros, the type, the number of dimensions, and each dimension in four bytes, big-endian.
ArrayInput read_idx_header(ImportInput& input) {
    std::array<std::byte, 4> magic{};
    const bool complete = input.read(magic) == magic.size();
    const std::optional<ElementType> type = idx_type(magic[2]);
    if (!complete || magic[0] != std::byte{0} || magic[1] != std::byte{0} || !type) {
        throw_input_error("'{}' is not an IDX file: it does not begin with 00 00 and a type from 08 to 0e",
                          input.path());
    }
    ArrayInput array;
    array.type = *type;
    array.order = std::endian::big;
    const int dimensions = std::to_integer<int>(magic[3]);
    for (int d = 0; d < dimensions; ++d) {
        std::array<std::byte, 4> bytes{};
        input.read_exactly(bytes, 4 + 4 * dimensions);
        std::int64_t size = 0;
        for (const std::byte byte : bytes)
            size = size << 8 | std::to_integer<int>(byte);
        array.shape.push_back(size);
    }
    check_shape(array, input);
    return array;
}

// "train/y" for "train/x".
std::string labels_beside(const std::string& dataset) {
    const std::size_t slash = dataset.rfind('/');
    return (slash == std::string::npos ? "" : dataset.substr(0, slash + 1)) + "y";
}

}  // namespace

ImportResult import_idx(const std::string& images, const std::optional<std::string>& labels,
                        const ImportTarget& target) {
    ImportInput image_input(images);
    const ArrayInput image_array = read_idx_header(image_input);
    const std::int64_t rows = image_array.shape.front();
    ImportResult result{rows, describe_import(image_array.shape, image_array.type, target)};

    ImportOutput output(target);
    if (labels) {
        const std::string dataset = labels_beside(target.dataset);
        if (dataset == target.dataset) {
            throw_input_error("the labels go to '{}'; choose another name for the images", dataset);
        }
        ImportInput label_input(*labels);
        const ArrayInput label_array = read_idx_header(label_input);
        if (label_array.shape != std::vector<std::int64_t>{rows}) {
            throw_input_error("'{}' should hold {}, one for each row of '{}', but its shape is {}", *labels,
                              counted(rows, "label"), images, format_shape(label_array.shape));
        }
        copy_array(label_input, label_array, dataset, output);
        result.description += fmt::format(", labels to {}", dataset);
    }
    copy_array(image_input, image_array, target.dataset, output);
    output.commit();
    return result;
}

}  // namespace vae_dist
