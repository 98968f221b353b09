#include "data/import/csv_header.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <span>
#include <string_view>

#include "data/import/csv_fields.hpp"

namespace vae_dist {

namespace {

// So many numbers in a row that count up are not there by accident.
constexpr std::size_t kManyColumns = 8;

bool is_whole(const std::string& field) {
    const std::size_t digits = field.find_first_not_of("+-");
    return digits != field.npos && digits <= 1 && field.find_first_not_of("0123456789", digits) == field.npos;
}

std::optional<double> number_in(const std::string& field, char decimal) {
    return is_missing_word(field) ? std::nullopt : parse_number(field, decimal);
}

// The step between the fields, if they are numbers with equal steps other than 0 between them; else 0.
double step_of(std::span<const std::string> fields, char decimal) {
    std::vector<double> values;
    for (const std::string& field : fields)
        values.push_back(number_in(field, decimal).value_or(NAN));
    if (values.size() < 2 || !std::isfinite(values[1] - values[0])) return 0;
    const double step = values[1] - values[0];
    for (std::size_t i = 2; i < values.size(); ++i) {
        const double room = 1e-9 * (std::abs(values[i]) + std::abs(step));
        if (!(std::abs(values[i] - values[i - 1] - step) <= room)) return 0;
    }
    return step;
}

bool counts_from_zero(std::span<const std::string> fields) {
    for (std::size_t i = 0; i < fields.size(); ++i) {
        if (fields[i] != std::to_string(i)) return false;
    }
    return true;
}

FirstLineGuess guess_among_numbers(const std::vector<std::string>& first,
                                   const std::vector<std::vector<std::string>>& next, char decimal) {
    const bool from_zero = counts_from_zero(first);
    const double step = step_of(first, decimal);
    const bool many = first.size() >= kManyColumns;
    const auto like_first = [&](const std::vector<std::string>& row) {
        const double other = step_of(row, decimal);
        return first.size() > 2 ? std::abs(other - step) <= 1e-9 * std::abs(step) : row == first;
    };
    const bool suspicious = from_zero || (first.size() > 2 && step != 0);
    if (!suspicious || next.empty() || std::ranges::any_of(next, like_first))
        return {FirstLine::data, "all its fields are numbers"};
    const bool whole = std::ranges::all_of(first, is_whole);
    const bool fractions =
        std::ranges::any_of(next, [](const auto& row) { return !std::ranges::all_of(row, is_whole); });
    if (from_zero && first.size() > 2 && (fractions || many))
        return {FirstLine::names, "it counts from 0, and the lines after it do not"};
    if (many || (whole && fractions) || (from_zero && first.size() > 2))
        return {FirstLine::unclear, "its numbers count up as names do, and the lines after it do not"};
    return {FirstLine::data, "all its fields are numbers"};
}

// Of fields that are no numbers, not all of which are words for missing values.
FirstLineGuess guess_among_words(const std::vector<std::string>& first) {
    const auto is_data = [](const std::string& field) {
        return !field.empty() && field != "Na" && is_missing_word(field);  // Na is sodium
    };
    const auto missing = std::ranges::find_if(first, is_data);
    if (missing != first.end())
        return {FirstLine::unclear, fmt::format("'{}' in it may stand for a missing value", *missing)};
    if (std::ranges::all_of(first,
                            [](const auto& field) { return field.empty() || looks_like_number(field); }))
        return {FirstLine::unclear, "its fields look like numbers, but cannot be read as numbers"};
    return {FirstLine::names, "none of its fields is a number"};
}

}  // namespace

FirstLineGuess guess_first_line(const std::vector<std::string>& first,
                                const std::vector<std::vector<std::string>>& next, char decimal,
                                bool some_left_out) {
    const auto is_number = [&](const std::string& field) {
        return number_in(field, decimal).has_value() || grouped_number(field, decimal).has_value();
    };
    const auto fields = static_cast<std::ptrdiff_t>(first.size());
    const std::ptrdiff_t numbers = std::ranges::count_if(first, is_number);
    const std::ptrdiff_t missing = std::ranges::count_if(first, is_missing_word);
    if (numbers == fields) return guess_among_numbers(first, next, decimal);
    if (numbers == 0 && missing < fields) return guess_among_words(first);
    if (numbers == 0) return {FirstLine::data, "it has missing values alone"};
    const bool indexed = first.front().empty() && counts_from_zero(std::span(first).subspan(1)) &&
                         !next.empty() &&
                         std::ranges::none_of(next, [](const auto& row) { return row.front().empty(); });
    if (indexed) return {FirstLine::names, "it counts from 0 behind an empty field, as pandas writes names"};
    if (some_left_out) return {FirstLine::unclear, "some of its fields are numbers, others are not"};
    return {FirstLine::data, "some of its fields are numbers"};
}

bool is_index_column(std::size_t column, const std::vector<std::string>& names,
                     const std::vector<std::vector<std::string>>& rows) {
    const std::string& name = names[column];
    if (!name.empty() && !name.starts_with("Unnamed:") && name != "index") return false;
    std::vector<std::string> values;
    for (const auto& row : rows)
        values.push_back(row[column]);
    if (values.size() < 2 || !std::ranges::all_of(values, is_whole)) return false;
    return step_of(values, '.') == 1;
}

}  // namespace vae_dist
