#include "vae_dist/core/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace vae_dist {

std::string format_bytes(std::uint64_t bytes) {
    constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
    double value = static_cast<double>(bytes);
    std::size_t unit = 0;
    while (value >= 1024 && unit + 1 < std::size(kUnits)) {
        value /= 1024;
        ++unit;
    }
    return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", value, kUnits[unit]);
}

std::string format_count(std::int64_t count) {
    std::string digits = fmt::format("{}", count < 0 ? -count : count);
    for (std::ptrdiff_t at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > 0; at -= 3) {
        digits.insert(static_cast<std::size_t>(at), 1, ',');
    }
    return count < 0 ? "-" + digits : digits;
}

std::string format_counted(std::int64_t count, std::string_view noun) {
    return fmt::format("{} {}{}", format_count(count), noun, count == 1 ? "" : "s");
}

std::string format_range(std::string_view noun, std::int64_t first, std::int64_t last) {
    return first == last ? fmt::format("{} {}", noun, first) : fmt::format("{}s {} to {}", noun, first, last);
}

std::string format_duration(double seconds) {
    const auto whole = static_cast<std::int64_t>(std::llround(seconds));
    if (whole >= 3600) return fmt::format("{} h {:02} min", whole / 3600, whole % 3600 / 60);
    if (whole >= 60) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
    return fmt::format("{} s", whole);
}

namespace {

struct TimeUnit {
    char letter;
    std::int64_t seconds;
};

constexpr std::array kTimeUnits = {TimeUnit{'d', 86400}, TimeUnit{'h', 3600}, TimeUnit{'m', 60},
                                   TimeUnit{'s', 1}};

}  // namespace

std::string compact_duration(std::chrono::seconds time) {
    std::string text;
    std::int64_t left = time.count();
    for (const TimeUnit& unit : kTimeUnits) {
        if (left >= unit.seconds) text += fmt::format("{}{}", left / unit.seconds, unit.letter);
        left %= unit.seconds;
    }
    return text.empty() ? "0s" : text;
}

std::optional<std::chrono::seconds> parse_duration(std::string_view text) {
    std::int64_t total = 0;
    const TimeUnit* next = kTimeUnits.begin();
    const char* at = text.data();
    const char* const end = at + text.size();
    if (at == end) return std::nullopt;
    while (at != end) {
        std::int64_t count = 0;
        const auto [digits_end, status] = std::from_chars(at, end, count);
        if (*at == '-' || status == std::errc::invalid_argument || digits_end == end) return std::nullopt;
        const TimeUnit* unit =
            std::find_if(next, kTimeUnits.end(),
                         [letter = *digits_end](const TimeUnit& some) { return some.letter == letter; });
        if (unit == kTimeUnits.end()) return std::nullopt;
        const bool fits = status == std::errc{} && !__builtin_mul_overflow(count, unit->seconds, &count) &&
                          !__builtin_add_overflow(total, count, &total);
        if (!fits) total = std::chrono::seconds::max().count();
        next = unit + 1;
        at = digits_end + 1;
    }
    return std::chrono::seconds(total);
}

std::string format_shape(std::span<const std::int64_t> shape) {
    return shape.empty() ? "scalar" : fmt::format("{}", fmt::join(shape, " x "));
}

std::string format_list(const std::vector<std::string>& items, std::size_t most) {
    std::string text;
    const std::size_t shown = items.size() > most ? most : items.size();
    for (std::size_t i = 0; i < shown; ++i) {
        if (i > 0) text += i + 1 == items.size() ? " and " : ", ";
        text += items[i];
    }
    if (items.size() > shown) text += fmt::format(" and {} more", items.size() - shown);
    return text;
}

namespace {

// Optimal string alignment: Levenshtein's distance, with a swap of adjacent letters as one edit.
std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::vector<std::size_t>> cost(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
    for (std::size_t i = 0; i <= a.size(); ++i) {
        for (std::size_t j = 0; j <= b.size(); ++j) {
            if (i == 0 || j == 0) {
                cost[i][j] = i + j;
                continue;
            }
            const std::size_t substitution = cost[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
            cost[i][j] = std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1, substitution});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
            }
        }
    }
    return cost[a.size()][b.size()];
}

}  // namespace

std::string nearest_word(std::string_view word, const std::vector<std::string>& candidates) {
    std::string best;
    std::size_t best_distance = word.size() / 2 + 1;
    for (const std::string& candidate : candidates) {
        const std::size_t distance = edit_distance(word, candidate);
        if (distance < best_distance) {
            best = candidate;
            best_distance = distance;
        }
    }
    return best;
}

}  // namespace vae_dist
