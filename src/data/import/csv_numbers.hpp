#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vae_dist {

/// How fields and numbers are written.
struct CsvFormat {
    char delimiter = ',';  ///< between two fields
    char decimal = '.';    ///< before a number's fraction
    bool operator==(const CsvFormat&) const = default;
};

/// The finite or infinite number, or nan, that the whole of `field` spells, if it does. What is nearer to 0
/// than any double is 0; what is beyond every double is infinite.
std::optional<double> parse_number(std::string_view field, char decimal);

/// What is known of a table before its rows are read.
struct CsvTable {
    std::string path;
    CsvFormat format;
    std::int64_t columns = 0;           ///< fields of a line
    std::string first_line;             ///< the header, or the first row
    std::int64_t first_number = 0;      ///< that line's number in the file
    std::vector<std::string> names;     ///< of the columns; {} without a header
    std::vector<std::int64_t> chosen;   ///< positions of the columns to take, in the order of the output
    std::vector<std::int64_t> targets;  ///< for each column its place in the output, or -1
};

/// Appends the numbers of a line's chosen columns to `values`; false if anything is wrong with the line.
bool parse_csv_line(std::string_view line, const CsvTable& table, std::vector<double>& values);

/// Explains a line that parse_csv_line cannot read, by throwing an input error.
[[noreturn]] void throw_bad_csv_line(std::string_view line, std::int64_t number, const CsvTable& table);

}  // namespace vae_dist
