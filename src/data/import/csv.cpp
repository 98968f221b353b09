#include <fmt/format.h>

#include <algorithm>

#include "data/import/csv_columns.hpp"
#include "data/import/csv_header.hpp"
#include "data/import/csv_lines.hpp"
#include "data/import/csv_numbers.hpp"
#include "data/import/csv_text.hpp"
#include "data/import/output.hpp"
#include "vae_dist/core/error.hpp"
#include "vae_dist/core/utf8.hpp"

namespace vae_dist {

namespace {

CsvFormat format_of(const CsvOptions& options) {
    const CsvFormat format{options.delimiter.value_or(options.decimal == ',' ? ';' : ','), options.decimal};
    if (format.decimal != '.' && format.decimal != ',') {
        throw_input_error("--decimal takes a point or a comma, not '{}'",
                          printable(std::string(1, format.decimal)));
    }
    if (format.delimiter == format.decimal) {
        throw_input_error("'{}' cannot be both --delimiter and --decimal", format.decimal);
    }
    return format;
}

// The rows that follow, as far as they look like rows of the table.
std::vector<std::vector<std::string>> rows_ahead(CsvLines& lines, char delimiter, std::size_t columns) {
    constexpr std::size_t kMost = 100;
    std::vector<std::vector<std::string>> rows;
    for (const std::string& line : lines.ahead(kMost)) {
        std::vector<std::string> fields = split_fields(line, delimiter);
        if (fields.size() == columns) rows.push_back(std::move(fields));
    }
    return rows;
}

// Whether the first line has names, and for `auto` a note of that.
bool has_names(const std::vector<std::string>& first, const std::vector<std::vector<std::string>>& next,
               const CsvOptions& options, const CsvColumns& columns, const std::string& where,
               std::vector<std::string>& notes) {
    if (options.header != CsvHeader::automatic) return options.header == CsvHeader::yes;
    FirstLineGuess guess = guess_first_line(first, next, options.decimal, !columns.all());
    if (columns.has_names()) guess = {FirstLine::names, "--columns has names"};
    if (guess.kind == FirstLine::unclear) {
        throw_input_error(
            "{} may have the names of the columns or data: {}; say which: --header yes or --header no", where,
            guess.why);
    }
    const bool names = guess.kind == FirstLine::names;
    if (names && first.front().starts_with('#')) guess.why += "; if it is a comment, give --skip-lines";
    notes.push_back(
        names ? fmt::format("{} has the names of the columns: {} (--header no: data)", where, guess.why)
              : fmt::format("{} has data, not names: {} (--header yes: names)", where, guess.why));
    return names;
}

void require_utf8_names(const CsvTable& table) {
    for (std::size_t i = 0; i < table.names.size(); ++i) {
        if (is_utf8(table.names[i])) continue;
        throw_input_error("'{}' line {}, column {}: the name '{}' is not UTF-8; {}", table.path,
                          table.first_number, i + 1, printable(table.names[i]),
                          advice_for_encoding(table.first_line, table.path));
    }
}

// Examines the line that `lines` gave last.
CsvTable examine_first_line(std::string_view line, CsvLines& lines, const CsvOptions& options,
                            const std::string& path, std::vector<std::string>& notes) {
    CsvTable table;
    table.path = path;
    table.format = format_of(options);
    table.first_line = line;
    table.first_number = lines.number();
    std::vector<std::string> first = split_fields(table.first_line, table.format.delimiter);
    table.columns = static_cast<std::int64_t>(first.size());
    const auto next = rows_ahead(lines, table.format.delimiter, first.size());
    const CsvColumns columns = options.columns ? CsvColumns(*options.columns) : CsvColumns();
    const std::string where = fmt::format("'{}' line {}", path, table.first_number);
    if (has_names(first, next, options, columns, where, notes)) table.names = std::move(first);
    require_utf8_names(table);
    table.chosen = columns.positions(table.columns, table.names);
    table.targets.assign(static_cast<std::size_t>(table.columns), -1);
    for (std::size_t i = 0; i < table.chosen.size(); ++i) {
        const auto column = static_cast<std::size_t>(table.chosen[i]);
        table.targets[column] = static_cast<std::int64_t>(i);
        if (!table.names.empty() && is_index_column(column, table.names, next)) {
            notes.push_back(
                fmt::format("column {} ('{}') counts the rows: if it is an index and not data, leave it "
                            "out by --columns not:{}",
                            column + 1, table.names[column], column + 1));
        }
    }
    return table;
}

// Streams the lines from `line` on, the first of data, into `writer`.
void copy_lines(CsvLines& lines, std::string_view line, const CsvTable& table, hdf5::RowWriter& writer) {
    constexpr std::size_t kValuesAtOnce = std::size_t{1} << 20;
    std::vector<double> values;
    std::int64_t blank_line = 0;
    const auto hand_over = [&] {
        writer.append(static_cast<std::int64_t>(values.size() / table.chosen.size()),
                      reinterpret_cast<const std::byte*>(values.data()));
        values.clear();
    };
    do {
        if (line.find_first_not_of(" \t") == std::string_view::npos) {
            if (blank_line == 0) blank_line = lines.number();  // the last ones may be blank
            continue;
        }
        if (blank_line != 0)
            throw_input_error("'{}' line {} is blank, with data after it", table.path, blank_line);
        if (!parse_csv_line(line, table, values)) throw_bad_csv_line(line, lines.number(), table);
        if (values.size() >= kValuesAtOnce) hand_over();
    } while (lines.next(line));
    hand_over();
}

void write_attributes(const CsvTable& table, const std::string& dataset, const std::string& source,
                      hdf5::File& file) {
    file.write_attribute(dataset, "source", source);
    if (table.names.empty()) return;
    std::vector<std::string> names;
    for (const std::int64_t column : table.chosen)
        names.push_back(table.names[static_cast<std::size_t>(column)]);
    file.write_attribute(dataset, "feature_names", names);
}

}  // namespace

char parse_delimiter(const std::string& text) {
    if (text == "\\t" || text == "tab") return '\t';
    const auto is_part_of_a_number = [](unsigned char c) {
        return std::isalnum(c) || c == '.' || c == '+' || c == '-';
    };
    const bool good = text.size() == 1 && !is_part_of_a_number(static_cast<unsigned char>(text[0])) &&
                      is_utf8(text) && text[0] != '"' && text[0] != '\n' && text[0] != '\r';
    if (!good) {
        throw_input_error(
            "--delimiter {}: expected one character that is not part of numbers, or \\t for a tab",
            printable(text));
    }
    return text[0];
}

ImportResult import_csv(const std::string& csv, const CsvOptions& options, const ImportTarget& target) {
    ImportInput input(csv);
    CsvLines lines(input);
    require_table_text(lines.beginning(), csv);
    std::string_view line;
    bool there = lines.next(line);
    for (std::int64_t i = 0; there && i < options.skip_lines; ++i)
        there = lines.next(line);
    if (!there) throw_input_error("'{}' has no data", csv);
    ImportResult result;
    const std::string first_line(line);
    const CsvTable table = examine_first_line(first_line, lines, options, csv, result.notes);
    line = first_line;
    if (!table.names.empty() && !lines.next(line)) throw_input_error("'{}' has a header, but no data", csv);

    ImportOutput output(target);
    constexpr std::int64_t kMostChunkRows = std::int64_t{1} << 20;
    const auto columns = static_cast<std::int64_t>(table.chosen.size());
    const std::int64_t chunk_rows =
        hdf5::chunk_rows_for(columns * static_cast<std::int64_t>(sizeof(double)), kMostChunkRows);
    hdf5::RowWriter writer = output.create_rows(
        target.dataset, {.row_shape = {columns}, .type = ElementType::float64, .chunk_rows = chunk_rows});
    copy_lines(lines, line, table, writer);
    if (writer.rows() == 0) throw_input_error("'{}' has no data", csv);
    result.rows = writer.rows();
    result.description =
        describe_import(std::vector<std::int64_t>{writer.rows(), columns}, ElementType::float64, target);
    writer.close();
    write_attributes(table, target.dataset, input.name(), output.file());
    output.commit();
    return result;
}

}  // namespace vae_dist
