#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace vae_dist {

/// The CRC-32 (as zlib's) of `bytes`, or, with the checksum `sum` of what stands before them, of both.
std::uint32_t crc32_of(std::span<const std::byte> bytes, std::uint32_t sum = 0);

}  // namespace vae_dist
