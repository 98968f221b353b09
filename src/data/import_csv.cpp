#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <optional>

#include "data/csv_lines.hpp"
#include "data/import_output.hpp"
#include "vae_dist/core/error.hpp"

namespace vae_dist {

namespace {

// What the first line tells about the table.
struct Table {
    char delimiter = ',';
    std::int64_t columns = 0;
    std::int64_t first_line = 0;     // its number
    std::vector<std::string> names;  // {} without a header
};

bool is_number(std::string_view field) {
    if (field.starts_with('+')) field.remove_prefix(1);
    double value = 0;
    const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), value);
    return error != std::errc::invalid_argument && end == field.data() + field.size();
}

// One number makes the line data: a row of numbers with an NA among them is not to vanish as a header.
Table examine_first_line(std::string_view line, std::int64_t number, char delimiter) {
    std::vector<std::string> fields = split_fields(line, delimiter);
    Table table{delimiter, static_cast<std::int64_t>(fields.size()), number, {}};
    const bool any_text =
        std::ranges::any_of(fields, [](const std::string& field) { return !field.empty(); });
    if (any_text && std::ranges::none_of(fields, is_number)) table.names = std::move(fields);
    return table;
}

// Of a field that has more digits of exponent than float64 does: 0 is near enough to 1e-400, nothing to
// 1e400.
std::optional<double> beyond_double(const char* from, const char* to) {
    const double value = std::strtod(std::string(from, to).c_str(), nullptr);
    return std::abs(value) < 1 ? std::optional(value) : std::nullopt;
}

// What a field without a number in it may be meant for.
std::string advice_for_text(const std::string& field, const Table& table, bool first_line) {
    const std::size_t other = table.columns == 1 ? field.find_first_of(",;\t ") : std::string::npos;
    if (other != std::string::npos) {
        return field[other] == '\t'
                   ? "are the columns separated by tabs? Then give --delimiter"
                   : fmt::format("is '{}' between the columns? Then give --delimiter", field[other]);
    }
    return fmt::format(
        "replace missing values (NA), and leave out columns of text, or code them as numbers{}",
        first_line ? "; if the line is a header, pass over it with --skip-lines, or have no numbers in it"
                   : "");
}

// Explains a line that parse_line cannot read; the slow path.
[[noreturn]] void throw_bad_line(std::string_view line, std::int64_t number, const Table& table,
                                 const std::string& path) {
    const std::string where = fmt::format("'{}' line {}", path, number);
    const std::vector<std::string> fields = split_fields(line, table.delimiter);
    if (static_cast<std::int64_t>(fields.size()) != table.columns) {
        throw_input_error("{} has {} fields, but the first line {}", where, fields.size(), table.columns);
    }
    for (std::size_t i = 0; i < fields.size(); ++i) {
        const std::string column =
            fmt::format("{}, column {}{}", where, i + 1,
                        table.names.empty() ? "" : fmt::format(" ('{}')", table.names[i]));
        const std::string& field = fields[i];
        if (field.empty())
            throw_input_error("{}: the field is empty; fill it in, or leave out the row", column);
        if (!is_number(field)) {
            throw_input_error("{}: '{}' is no number; {}", column, field.substr(0, 40),
                              advice_for_text(field, table, number == table.first_line));
        }
        const double value = std::strtod(field.c_str(), nullptr);
        if (!std::isfinite(value)) {
            throw_input_error("{}: '{}' is not a finite float64; replace it, or leave out the row", column,
                              field.substr(0, 40));
        }
    }
    throw_input_error("{} cannot be read as numbers", where);
}

// Appends the line's numbers to `values`; false if anything is wrong with it.
bool parse_line(std::string_view line, const Table& table, std::vector<double>& values) {
    const char* at = line.data();
    const char* const end = at + line.size();
    const auto skip_blanks = [&] {
        while (at < end && (*at == ' ' || *at == '\t') && *at != table.delimiter)
            ++at;
    };
    for (std::int64_t column = 0; column < table.columns; ++column) {
        if (column > 0 && (at == end || *at++ != table.delimiter)) return false;
        skip_blanks();
        const bool quoted = at < end && *at == '"';
        if (quoted) ++at;
        if (at < end && *at == '+') ++at;
        double value = 0;
        const auto [after, error] = std::from_chars(at, end, value);
        if (error == std::errc::result_out_of_range) {
            const std::optional<double> tiny = beyond_double(at, after);
            if (!tiny) return false;
            value = *tiny;
        } else if (error != std::errc{} || !std::isfinite(value)) {
            return false;
        }
        at = after;
        if (quoted && (at == end || *at++ != '"')) return false;
        skip_blanks();
        values.push_back(value);
    }
    return at == end;
}

// Streams the lines from `line` on, the first of data, into `writer`.
void copy_lines(CsvLines& lines, std::string_view line, const Table& table, const std::string& path,
                hdf5::RowWriter& writer) {
    constexpr std::size_t kValuesAtOnce = std::size_t{1} << 20;
    std::vector<double> values;
    std::int64_t blank_line = 0;
    const auto hand_over = [&] {
        writer.append(static_cast<std::int64_t>(values.size()) / table.columns,
                      reinterpret_cast<const std::byte*>(values.data()));
        values.clear();
    };
    do {
        if (line.find_first_not_of(" \t") == std::string_view::npos) {
            if (blank_line == 0) blank_line = lines.number();  // the last ones may be blank
            continue;
        }
        if (blank_line != 0) throw_input_error("'{}' line {} is blank, with data after it", path, blank_line);
        if (!parse_line(line, table, values)) throw_bad_line(line, lines.number(), table, path);
        if (values.size() >= kValuesAtOnce) hand_over();
    } while (lines.next(line));
    hand_over();
}

}  // namespace

ImportResult import_csv(const std::string& csv, const CsvOptions& options, const ImportTarget& target) {
    ImportInput input(csv);
    CsvLines lines(input);
    std::string_view line;
    bool there = lines.next(line);
    for (std::int64_t i = 0; there && i < options.skip_lines; ++i)
        there = lines.next(line);
    if (!there) throw_input_error("'{}' has no data", csv);
    const Table table = examine_first_line(line, lines.number(), options.delimiter);
    if (!table.names.empty() && !lines.next(line)) throw_input_error("'{}' has a header, but no data", csv);

    ImportOutput output(target);
    constexpr std::int64_t kNoLimit = std::int64_t{1} << 20;
    const std::int64_t chunk_rows =
        hdf5::chunk_rows_for(table.columns * static_cast<std::int64_t>(sizeof(double)), kNoLimit);
    hdf5::RowWriter writer = output.create_rows(
        target.dataset,
        {.row_shape = {table.columns}, .type = ElementType::float64, .chunk_rows = chunk_rows});
    copy_lines(lines, line, table, csv, writer);
    if (writer.rows() == 0) throw_input_error("'{}' has no data", csv);
    const ImportResult result{writer.rows(),
                              describe_import(std::vector<std::int64_t>{writer.rows(), table.columns},
                                              ElementType::float64, target)};
    writer.close();
    output.file().write_attribute(target.dataset, "source", input.name());
    if (!table.names.empty()) output.file().write_attribute(target.dataset, "feature_names", table.names);
    output.commit();
    return result;
}

}  // namespace vae_dist
