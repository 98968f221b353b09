#include "vae_dist/core/checksum.hpp"

#include <zlib.h>

namespace vae_dist {

std::uint32_t crc32_of(std::span<const std::byte> bytes, std::uint32_t sum) {
    return static_cast<std::uint32_t>(
        crc32_z(sum, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()));
}

}  // namespace vae_dist
