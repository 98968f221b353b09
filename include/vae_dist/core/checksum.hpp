#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace vae_dist {

/// The CRC-32 of zlib, of `bytes`, or of earlier bytes with the checksum `sum` followed by `bytes`.
std::uint32_t crc32_of(std::span<const std::byte> bytes, std::uint32_t sum = 0);

}  // namespace vae_dist
