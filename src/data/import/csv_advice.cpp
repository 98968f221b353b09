// What to say about a line that is not a row of numbers; the slow path.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "data/import/csv_fields.hpp"
#include "data/import/csv_lines.hpp"
#include "data/import/csv_numbers.hpp"
#include "data/import/csv_text.hpp"
#include "vae_dist/core/error.hpp"
#include "vae_dist/core/text.hpp"
#include "vae_dist/core/utf8.hpp"

namespace vae_dist {

namespace {

// "--delimiter ';' --decimal ,": the options that are not those of `now`.
std::string options_for(const CsvFormat& format, const CsvFormat& now) {
    std::string options;
    if (format.delimiter != now.delimiter) {
        options = format.delimiter == '\t' ? "--delimiter '\\t'"
                                           : fmt::format("--delimiter '{}'", format.delimiter);
    }
    if (format.decimal != now.decimal)
        options += fmt::format("{}--decimal {}", options.empty() ? "" : " ", format.decimal);
    return options;
}

// Whether line and first line have equally many fields in that format, those of the line numbers alone.
bool would_read(std::string_view line, const CsvTable& table, const CsvFormat& format) {
    const std::vector<std::string> fields = split_fields(line, format.delimiter);
    const std::vector<std::string> first = split_fields(table.first_line, format.delimiter);
    const auto are_numbers = [&](const std::vector<std::string>& some) {
        return std::ranges::all_of(
            some, [&](const std::string& field) { return parse_number(field, format.decimal).has_value(); });
    };
    // Where the first line has columns as the table is read now, they are not all one field.
    const bool has_shape = fields.size() > 1 || (format.decimal == ',' && table.columns == 1);
    return has_shape && first.size() == fields.size() && are_numbers(fields) &&
           (!table.names.empty() || are_numbers(first));
}

// The options with which the line would be a row of numbers; {} if there are none.
std::string other_format(std::string_view line, const CsvTable& table) {
    for (const char decimal : {'.', ','}) {
        for (const char delimiter : {',', ';', '\t', '|', ' '}) {
            const CsvFormat format{delimiter, decimal};
            const bool tried = format == table.format || delimiter == decimal;
            if (!tried && would_read(line, table, format)) return options_for(format, table.format);
        }
    }
    return "";
}

// What to do about lines that begin with #, which some programs take for comments; "" where none does.
std::string advice_for_comments(std::string_view line, std::int64_t number, const CsvTable& table) {
    const bool comment = line.starts_with('#');
    const bool first = table.first_line.starts_with('#');
    if (comment && (first || number == table.first_number))
        return fmt::format("if the lines up to this one are comments, give --skip-lines {}", number);
    if (comment) return "comments within a table are not supported; remove the line";
    if (!first) return "";
    return fmt::format("if line {0} is a comment, give --skip-lines {0}", table.first_number);
}

// "is ';' between the columns? ...".
std::string ask_for_delimiter(char c) {
    return c == '\t' ? "are the columns separated by tabs? Then give --delimiter '\\t'"
                     : fmt::format("is '{0}' between the columns? Then give --delimiter '{0}'", c);
}

// What to do about a number with separated thousands. `options` would read it with a fraction.
std::string advice_for_grouped(const GroupedNumber& number, const std::string& options, char decimal) {
    if (number.certain) {
        return fmt::format("its thousands are separated by '{}', which is not supported; write {}",
                           number.separator, number.plain);
    }
    return fmt::format("if '{}' separates its thousands, write {}; if it begins the fraction, {}",
                       number.separator, number.plain,
                       options.empty() ? fmt::format("write '{}' for it", decimal) : "give " + options);
}

// What a field without a number in it may be meant for.
std::string advice_for_text(const std::string& field, std::string_view line, std::int64_t number,
                            const CsvTable& table) {
    const char decimal = table.format.decimal;
    if (!is_utf8(field)) return "the text is not UTF-8; " + advice_for_encoding(line, table.path);
    if (std::string advice = advice_for_comments(line, number, table); !advice.empty()) return advice;
    const std::string options = other_format(line, table);
    const std::optional<GroupedNumber> grouped = grouped_number(field, decimal);
    // Blanks may stand between columns.
    if (grouped && (grouped->separator != " " || options.empty()))
        return advice_for_grouped(*grouped, options, decimal);
    if (!options.empty()) return fmt::format("with {} the line is numbers", options);
    if (parse_number(field, decimal == '.' ? ',' : '.'))
        return fmt::format("its fraction must begin with '{}'", decimal);
    const std::size_t other = table.columns == 1 ? field.find_first_of(",;\t ") : std::string::npos;
    if (other != std::string::npos) return ask_for_delimiter(field[other]);
    std::string advice = "leave out columns of text by --columns, or code them as numbers";
    if (is_missing_word(field)) {
        advice =
            "if it stands for a missing value, replace it, or leave out the row or the column (--columns)";
    } else if (looks_like_number(field)) {
        advice = "correct it, or leave out the row or the column (--columns)";
    }
    if (number == table.first_number && table.names.empty())
        advice += "; if the line has the names of the columns, give --header yes";
    return advice;
}

// What to do about a line that has more or fewer fields than the first one.
std::string advice_for_count(std::size_t fields, std::string_view line, std::int64_t number,
                             const CsvTable& table) {
    if (std::string advice = advice_for_comments(line, number, table); !advice.empty()) return advice;
    if (const std::string options = other_format(line, table); !options.empty())
        return fmt::format("with {} both are rows of one table", options);
    const bool more = static_cast<std::int64_t>(fields) > table.columns;
    const std::size_t other = table.columns == 1 ? table.first_line.find_first_of(";\t|") : std::string::npos;
    if (other != std::string::npos) return ask_for_delimiter(table.first_line[other]);
    if (more && table.columns == 1 && number == table.first_number + 1)
        return fmt::format("if line {0} is a title, give --skip-lines {0}", table.first_number);
    const char delimiter = table.format.delimiter;
    const std::string named = delimiter == '\t' ? "a tab" : fmt::format("'{}'", delimiter);
    if (more && line.ends_with(delimiter)) return fmt::format("it ends with {}; remove that", named);
    if (more) return fmt::format("a field with {} in it needs quotes", named);
    return "complete the line, or leave it out";
}

}  // namespace

void throw_bad_csv_line(std::string_view line, std::int64_t number, const CsvTable& table) {
    const std::string where = fmt::format("'{}' line {}", table.path, number);
    const std::vector<std::string> fields = split_fields(line, table.format.delimiter);
    if (static_cast<std::int64_t>(fields.size()) != table.columns) {
        throw_input_error("{} has {}, but line {} has {}; {}", where, counted(fields.size(), "field"),
                          table.first_number, table.columns,
                          advice_for_count(fields.size(), line, number, table));
    }
    for (const std::int64_t position : table.chosen) {
        const auto at = static_cast<std::size_t>(position);
        const std::string column =
            fmt::format("{}, column {}{}", where, position + 1,
                        table.names.empty() ? "" : fmt::format(" ('{}')", printable(table.names[at])));
        const std::string& field = fields[at];
        if (field.empty())
            throw_input_error("{}: the field is empty; fill it in, or leave out the row", column);
        const std::optional<double> value = parse_number(field, table.format.decimal);
        if (!value) {
            throw_input_error("{}: '{}' is not a number; {}", column, printable(field),
                              advice_for_text(field, line, number, table));
        }
        if (!std::isfinite(*value)) {
            throw_input_error("{}: '{}' is not a finite float64; replace it, or leave out the row", column,
                              printable(field));
        }
    }
    throw_input_error(
        "{} cannot be read; are its quotes closed? A field that goes on in the next line is not supported",
        where);
}

}  // namespace vae_dist
