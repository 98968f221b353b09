#pragma once

#include <bit>
#include <cstdint>
#include <string>
#include <vector>

#include "data/import/input.hpp"
#include "data/import/output.hpp"

namespace vae_dist {

/// An array that stands in a file as plain numbers in C order, from the file's present position to its end.
struct ArrayInput {
    std::vector<std::int64_t> shape;
    ElementType type = ElementType::uint8;  ///< of the dataset
    bool half_floats = false;               ///< 16-bit floats, to become float32
    std::endian order = std::endian::native;
};

/// Throws an input error unless the shape has at least one dimension, no zero, and rows that HDF5 can chunk.
void check_shape(const ArrayInput& array, const ImportInput& input);

/// Streams the array into a new dataset.
void copy_array(ImportInput& input, const ArrayInput& array, const std::string& dataset,
                ImportOutput& output);

}  // namespace vae_dist
