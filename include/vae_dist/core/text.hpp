#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vae_dist {

/// "1.5 GiB", "640 KiB", "12 B".
std::string format_bytes(std::uint64_t bytes);

/// "1,234,567".
std::string format_count(std::int64_t count);

/// "1 sample", "0 samples", "1,234 samples"; `noun` in the singular, whose plural ends in s.
std::string format_counted(std::int64_t count, std::string_view noun);

/// The same for counts of any type.
std::string counted(std::integral auto count, std::string_view noun) {
    return format_counted(static_cast<std::int64_t>(count), noun);
}

/// "row 3", "rows 3 to 5": the numbers from `first` to `last`, which is among them.
std::string format_range(std::string_view noun, std::int64_t first, std::int64_t last);

/// "2 h 05 min", "3 min 20 s", "12 s"; seconds >= 0.
std::string format_duration(double seconds);

/// "3h50m", "1m30s", "0s": days, hours, minutes and seconds, without those that are 0; time >= 0.
std::string compact_duration(std::chrono::seconds time);

/// The duration of a text: whole numbers of the units d, h, m and s in this order, each at most once ("90s",
/// "36h", "3h50m"); none for other text. The longest duration for one that is longer.
std::optional<std::chrono::seconds> parse_duration(std::string_view text);

/// "28 x 28"; "scalar" for no dimension.
std::string format_shape(std::span<const std::int64_t> shape);

/// "a, b and c"; at most `most` items, then "and N more".
std::string format_list(const std::vector<std::string>& items, std::size_t most = 20);

/// The candidate with the fewest insertions, deletions, substitutions and swaps of adjacent letters from
/// `word`; empty if none is near.
std::string nearest_word(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace vae_dist
