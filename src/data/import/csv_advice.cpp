// What to say about a line that is not a row of numbers; the slow path.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

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
    const bool has_shape = fields.size() > 1 || format.decimal == ',';
    return has_shape && split_fields(table.first_line, format.delimiter).size() == fields.size() &&
           std::ranges::all_of(fields, [&](const std::string& field) {
               return parse_number(field, format.decimal).has_value();
           });
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

// What a field without a number in it may be meant for.
std::string advice_for_text(const std::string& field, std::string_view line, std::int64_t number,
                            const CsvTable& table) {
    if (!is_utf8(field)) return "the text is not UTF-8; " + advice_for_encoding(line, table.path);
    if (const std::string options = other_format(line, table); !options.empty()) {
        return fmt::format("with {} the line is numbers", options);
    }
    const std::size_t other = table.columns == 1 ? field.find_first_of(",;\t ") : std::string::npos;
    if (other != std::string::npos) {
        return field[other] == '\t' ? "are the columns separated by tabs? Then give --delimiter '\\t'"
                                    : fmt::format("is '{}' between the columns? Then give --delimiter '{}'",
                                                  field[other], field[other]);
    }
    std::string advice =
        "replace missing values (NA); leave out columns of text by --columns, or code them as numbers";
    if (number == table.first_number && table.names.empty())
        advice += "; if the line has the names of the columns, give --header yes";
    return advice;
}

}  // namespace

void throw_bad_csv_line(std::string_view line, std::int64_t number, const CsvTable& table) {
    const std::string where = fmt::format("'{}' line {}", table.path, number);
    const std::vector<std::string> fields = split_fields(line, table.format.delimiter);
    if (static_cast<std::int64_t>(fields.size()) != table.columns) {
        const std::string options = other_format(line, table);
        throw_input_error(
            "{} has {}, but line {} has {}{}", where, counted(fields.size(), "field"), table.first_number,
            table.columns,
            options.empty() ? "" : fmt::format("; with {} both are rows of one table", options));
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
