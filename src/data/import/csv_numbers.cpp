#include "data/import/csv_numbers.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>

namespace vae_dist {

namespace {

// Of a number that has more digits of exponent than float64 does: 0 is near enough to 1e-400, nothing to
// 1e400.
double beyond_double(const char* from, const char* to) {
    const double value = std::strtod(std::string(from, to).c_str(), nullptr);
    return std::abs(value) < 1 ? value : std::copysign(HUGE_VAL, value);
}

// Reads a number from `at` on and moves `at` behind it; none if there is no number.
std::optional<double> read_number(const char*& at, const char* end) {
    double value = 0;
    const auto [after, error] = std::from_chars(at, end, value);
    if (error == std::errc::result_out_of_range) {
        value = beyond_double(at, after);
    } else if (error != std::errc{}) {
        return std::nullopt;
    }
    at = after;
    return value;
}

// A point in such a text separates thousands, or is the decimal point after all: nobody knows.
std::optional<double> read_number_with_comma(const char*& at, const char* end, char delimiter) {
    const char* const to =
        std::find_if(at, end, [&](char c) { return c == delimiter || c == '"' || c == ' ' || c == '\t'; });
    std::string text(at, to);
    if (text.find('.') != text.npos) return std::nullopt;
    std::ranges::replace(text, ',', '.');
    const char* from = text.data();
    const std::optional<double> value = read_number(from, text.data() + text.size());
    if (!value || from != text.data() + text.size()) return std::nullopt;
    at = to;
    return value;
}

bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

// Moves `at` to the end of the field; false if its quotes are not closed.
bool pass_over(const char*& at, const char* end, char delimiter) {
    const auto skip_blanks = [&] {
        while (at < end && is_blank(*at) && *at != delimiter)
            ++at;
    };
    skip_blanks();
    bool quoted = false;
    if (at < end && *at == '"') {
        quoted = true;
        ++at;
    }
    for (; at < end && (quoted || *at != delimiter); ++at) {
        if (*at != '"') continue;
        quoted = quoted ? false : at[-1] == '"';  // of two in a row the second one opens again
    }
    return !quoted;
}

// from_chars takes no plus sign; before a minus it is not one of a number.
bool pass_over_plus(const char*& at, const char* end) {
    if (at == end || *at != '+') return true;
    ++at;
    return at == end || *at != '-';
}

}  // namespace

std::optional<double> parse_number(std::string_view field, char decimal) {
    const char* at = field.data();
    const char* const end = at + field.size();
    if (!pass_over_plus(at, end)) return std::nullopt;
    const std::optional<double> value =
        decimal == '.' ? read_number(at, end) : read_number_with_comma(at, end, '\0');
    return at == end ? value : std::nullopt;
}

bool parse_csv_line(std::string_view line, const CsvTable& table, std::vector<double>& values) {
    const char* at = line.data();
    const char* const end = at + line.size();
    const char delimiter = table.format.delimiter;
    const char decimal = table.format.decimal;
    const std::size_t row = values.size();
    values.resize(row + table.chosen.size());
    const auto skip_blanks = [&] {
        while (at < end && is_blank(*at) && *at != delimiter)
            ++at;
    };
    for (std::size_t column = 0; column < table.targets.size(); ++column) {
        if (column > 0 && (at == end || *at++ != delimiter)) return false;
        const std::int64_t target = table.targets[column];
        if (target < 0) {
            if (!pass_over(at, end, delimiter)) return false;
            continue;
        }
        skip_blanks();
        const bool quoted = at < end && *at == '"';
        if (quoted) ++at;
        if (!pass_over_plus(at, end)) return false;
        const std::optional<double> value =
            decimal == '.' ? read_number(at, end) : read_number_with_comma(at, end, delimiter);
        if (!value || !std::isfinite(*value)) return false;
        if (quoted && (at == end || *at++ != '"')) return false;
        skip_blanks();
        values[row + static_cast<std::size_t>(target)] = *value;
    }
    return at == end;
}

}  // namespace vae_dist
