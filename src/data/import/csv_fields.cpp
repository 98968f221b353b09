#include "data/import/csv_fields.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace vae_dist {

namespace {

constexpr std::string_view kDigits = "0123456789";

bool is_digit(char c) {
    return kDigits.find(c) != kDigits.npos;
}

std::size_t count_digits(std::string_view text) {
    return std::min(text.find_first_not_of(kDigits), text.size());
}

// The number whose thousands have `separator` between them and whose fraction begins with `point`.
std::optional<GroupedNumber> read_grouped(std::string_view field, std::string_view separator, char point,
                                          char decimal) {
    GroupedNumber number = {.separator = std::string(separator), .plain = ""};
    if (field.starts_with('+') || field.starts_with('-')) {
        number.plain = field.front();
        field.remove_prefix(1);
    }
    std::size_t digits = count_digits(field);
    if (digits < 1 || digits > 3) return std::nullopt;
    int groups = 0;
    for (;; ++groups) {
        number.plain += field.substr(0, digits);
        field.remove_prefix(digits);
        if (!field.starts_with(separator)) break;
        digits = count_digits(field.substr(separator.size()));
        if (digits != 3) return std::nullopt;
        field.remove_prefix(separator.size());
    }
    if (groups == 0) return std::nullopt;
    const bool other_mark = separator == "." || separator == ",";
    number.certain = groups > 1 || !field.empty() || !other_mark;
    if (field.empty()) return number;
    if (field.front() != point || count_digits(field.substr(1)) != field.size() - 1) return std::nullopt;
    number.plain += decimal;
    number.plain += field.substr(1);
    return number;
}

}  // namespace

bool is_missing_word(std::string_view field) {
    // Those after "missing" are errors of Excel's.
    constexpr std::array<std::string_view, 20> kWords = {
        "",  "na", "n/a", "#n/a",    "<na>",    "nan",     "-nan",  "null",   "none",  "nil",
        "?", "-",  ".",   "missing", "#div/0!", "#value!", "#ref!", "#name?", "#num!", "#null!"};
    std::string lower(field);
    std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
    return std::ranges::find(kWords, lower) != kWords.end();
}

bool looks_like_number(std::string_view field) {
    const std::size_t digit = field.find_first_not_of("+-.,");
    return digit <= 2 && is_digit(field[digit]) &&
           field.find_first_not_of("0123456789+-.,:/eE_%' ") == field.npos;
}

std::optional<GroupedNumber> grouped_number(std::string_view field, char decimal) {
    constexpr std::string_view kNoBreakSpace = "\xc2\xa0";
    constexpr std::string_view kNarrowNoBreakSpace = "\xe2\x80\xaf";
    constexpr std::string_view kApostrophe = "\xe2\x80\x99";
    for (const std::string_view separator :
         {std::string_view(","), std::string_view("."), std::string_view(" "), std::string_view("'"),
          std::string_view("_"), kNoBreakSpace, kNarrowNoBreakSpace, kApostrophe}) {
        for (const char point : {'.', ','}) {
            if (separator.front() == point) continue;
            auto number = read_grouped(field, separator, point, decimal);
            // 1.234 is a number of its own where a point begins fractions.
            if (number && (number->certain || separator.front() != decimal)) return number;
        }
    }
    return std::nullopt;
}

}  // namespace vae_dist
