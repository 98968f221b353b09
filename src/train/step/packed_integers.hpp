#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace vae_dist {

// Integers in as few bytes as they fit in: blocks of 256, each with its width before it. Gradients are small
// numbers, so that most blocks of exact sums take 3 or 4 bytes an element.

/// The most that `pack_integers` writes for `count` integers.
std::size_t most_packed_integer_bytes(std::size_t count);

/// Writes `values` to `to`; returns the number of bytes, which is at most most_packed_integer_bytes. Of its
/// memory more may be overwritten, up to that number.
std::size_t pack_integers(std::span<const std::int64_t> values, std::byte* to);

/// to[i] += the i-th integer packed at `from`, wrapping around. Reads up to 8 bytes beyond the last one,
/// never beyond most_packed_integer_bytes.
void add_packed_integers(const std::byte* from, std::span<std::int64_t> to);

}  // namespace vae_dist
