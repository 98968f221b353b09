#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace vae_dist {

// What fields may be meant for that no number can be read from.

/// Whether `field` is empty or a word such as NA, in any case, that stands for a missing value in tables.
bool is_missing_word(std::string_view field);

/// Whether `field` begins with a digit, after a sign or point if need be, and has only what numbers, dates
/// and times are written with: 1.2.3, 10-19, 12:30.
bool looks_like_number(std::string_view field);

/// A number with a separator between its thousands.
struct GroupedNumber {
    std::string separator;  ///< "," as in 1,234.5
    std::string plain;      ///< the number without it and with the table's decimal mark: "1234.5"
    bool certain = true;    ///< false for 1,234, which may be a fraction
};

/// The number that `field` is, if its digits are grouped by points, commas, blanks, apostrophes or _.
std::optional<GroupedNumber> grouped_number(std::string_view field, char decimal);

}  // namespace vae_dist
