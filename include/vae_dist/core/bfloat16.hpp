#pragma once

#include <bit>
#include <cstdint>

namespace vae_dist {

/// The upper half of a float: sign, exponent and the first 7 bits of the fraction.
struct BFloat16 {
    std::uint16_t bits = 0;

    friend bool operator==(BFloat16, BFloat16) = default;  ///< compares the bits
};

inline float to_float(BFloat16 value) {
    return std::bit_cast<float>(static_cast<std::uint32_t>(value.bits) << 16);
}

/// Rounds to nearest, ties to even; NaN stays NaN.
inline BFloat16 to_bfloat16(float value) {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    const std::uint32_t rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16;
    // Rounding might carry a fraction of ones into the sign.
    const std::uint32_t quiet = (bits >> 16) | 0x40;
    return {static_cast<std::uint16_t>(value != value ? quiet : rounded)};
}

}  // namespace vae_dist
