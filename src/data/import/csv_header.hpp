#pragma once

#include <string>
#include <vector>

#include "data/import/csv_numbers.hpp"

namespace vae_dist {

/// What the first line of a table is.
enum class FirstLine { names, data, unclear };

struct FirstLineGuess {
    FirstLine kind = FirstLine::data;
    std::string why;  ///< "all its fields are numbers"
};

/// `first` are the fields of the first line, `next` those of lines after it. A line without numbers has
/// names, unless all that it has are words for missing values. Numbers may be names as well: 0, 1, 2 ...
/// above other numbers are, as pandas writes them; where that is not certain, the guess is `unclear`. So it
/// is for a line that has words for missing values beside others, or only what looks like numbers; and for
/// one that has both texts and numbers if `some_left_out`, for then its texts may go unread.
FirstLineGuess guess_first_line(const std::vector<std::string>& first,
                                const std::vector<std::vector<std::string>>& next, char decimal,
                                bool some_left_out);

/// Whether the column of that position has no name, or one that pandas gives, and counts the rows.
bool is_index_column(std::size_t column, const std::vector<std::string>& names,
                     const std::vector<std::vector<std::string>>& rows);

}  // namespace vae_dist
