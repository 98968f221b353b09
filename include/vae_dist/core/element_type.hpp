#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "vae_dist/core/require.hpp"

namespace vae_dist {

/// The number types of datasets, in this machine's byte order.
enum class ElementType { uint8, int8, uint16, int16, uint32, int32, uint64, int64, float32, float64 };

/// Calls `work` with a number of the C++ type for `type`, and returns its result.
template <class Work>
auto with_type(ElementType type, const Work& work) {
    switch (type) {
        case ElementType::uint8:
            return work(std::uint8_t{});
        case ElementType::int8:
            return work(std::int8_t{});
        case ElementType::uint16:
            return work(std::uint16_t{});
        case ElementType::int16:
            return work(std::int16_t{});
        case ElementType::uint32:
            return work(std::uint32_t{});
        case ElementType::int32:
            return work(std::int32_t{});
        case ElementType::uint64:
            return work(std::uint64_t{});
        case ElementType::int64:
            return work(std::int64_t{});
        case ElementType::float32:
            return work(float{});
        case ElementType::float64:
            return work(double{});
    }
    throw Error(ErrorKind::bug, "a bug in vae_dist: an element type without a C++ type");
}

/// Number i of the numbers of type T that begin at `raw`, which need not be aligned.
template <class T>
T element_at(const std::byte* raw, std::size_t i) {
    T value;
    std::memcpy(&value, raw + i * sizeof(T), sizeof(T));
    return value;
}

std::size_t element_bytes(ElementType type);

/// "uint8", ..., "float64".
const char* element_name(ElementType type);

}  // namespace vae_dist
