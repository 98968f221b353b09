#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vae_dist {

/// "1.5 GiB", "640 KiB", "12 B".
std::string format_bytes(std::uint64_t bytes);

/// "1,234,567".
std::string format_count(std::int64_t count);

/// "2 h 05 min", "3 min 20 s", "12 s"; seconds >= 0.
std::string format_duration(double seconds);

/// "28 x 28"; "scalar" for no dimension.
std::string format_shape(std::span<const std::int64_t> shape);

/// "a, b and c"; at most `most` items, then "and N more".
std::string format_list(const std::vector<std::string>& items, std::size_t most = 20);

/// The candidate that differs from `word` by the fewest insertions, deletions, substitutions and swaps of
/// neighbours; empty if none is near enough to be meant.
std::string nearest_word(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace vae_dist
