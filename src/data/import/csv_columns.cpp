#include "data/import/csv_columns.hpp"

#include <algorithm>
#include <charconv>
#include <numeric>
#include <optional>
#include <string_view>

#include "vae_dist/core/error.hpp"
#include "vae_dist/core/text.hpp"
#include "vae_dist/core/utf8.hpp"

namespace vae_dist {

namespace {

constexpr std::string_view kWithout = "not:";

// A whole number from 1 on.
std::optional<std::int64_t> parse_position(std::string_view text) {
    std::int64_t value = 0;
    const bool digits = !text.empty() && text.find_first_not_of("0123456789") == text.npos;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (!digits || error != std::errc{} || value < 1) return std::nullopt;
    return value;
}

[[noreturn]] void throw_bad_list(const std::string& text) {
    throw_input_error(
        "--columns '{}': expected names, numbers from 1 on or ranges, as in age,3,5-7 or not:id; a name with "
        "a "
        "comma "
        "in quotes",
        printable(text, 200));
}

}  // namespace

CsvColumns::CsvColumns(const std::string& text) {
    std::string_view rest = text;
    without_ = rest.starts_with(kWithout);
    if (without_) rest.remove_prefix(kWithout.size());
    for (bool more = true; more;) {
        const bool quoted = rest.starts_with('"');
        const std::size_t end = quoted ? rest.find('"', 1) : rest.find(',');
        if (quoted && end == rest.npos) throw_bad_list(text);
        const std::string item(quoted ? rest.substr(1, end - 1) : rest.substr(0, end));
        if (item.empty() && !quoted) throw_bad_list(text);
        items_.push_back(parse_item(item, quoted));
        rest.remove_prefix(std::min(rest.size(), quoted ? end + 1 : end));
        more = !rest.empty();
        if (more && rest.front() != ',') throw_bad_list(text);
        if (more) rest.remove_prefix(1);
        if (more && rest.empty()) throw_bad_list(text);
    }
}

CsvColumns::Item CsvColumns::parse_item(const std::string& text, bool quoted) {
    Item item{.name = text};
    if (quoted) return item;
    const std::size_t dash = text.find('-');
    const std::optional<std::int64_t> first = parse_position(std::string_view(text).substr(0, dash));
    const std::optional<std::int64_t> last =
        dash == text.npos ? first : parse_position(std::string_view(text).substr(dash + 1));
    if (!first || !last) return item;
    if (*last < *first) throw_input_error("--columns: the range {} goes backwards", text);
    item.first = *first;
    item.last = *last;
    return item;
}

bool CsvColumns::has_names() const {
    return std::ranges::any_of(items_, [](const Item& item) { return item.first == 0; });
}

std::vector<std::int64_t> CsvColumns::positions_of(const Item& item, std::int64_t count,
                                                   const std::vector<std::string>& names) const {
    const auto named = std::ranges::find(names, item.name);
    const std::int64_t position = named == names.end() ? 0 : named - names.begin() + 1;
    if (item.first > 0) {
        if (position != 0 && (item.first != position || item.last != position)) {
            throw_input_error(
                "--columns: {} may be the number of a column, or the name of column {}; write \"{}\" for the "
                "name, or "
                "{}-{} for the number",
                item.name, position, item.name, item.first, item.last);
        }
        if (item.last > count)
            throw_input_error("--columns: there is no column {}; the table has {}", item.last,
                              counted(count, "column"));
        std::vector<std::int64_t> range(static_cast<std::size_t>(item.last - item.first + 1));
        std::iota(range.begin(), range.end(), item.first - 1);
        return range;
    }
    const std::string shown = printable(item.name);
    if (names.empty()) {
        throw_input_error(
            "--columns: '{}' is a name, but the table has no header; choose by number, from 1 on", shown);
    }
    if (position == 0) {
        const std::string near = nearest_word(item.name, names);
        throw_input_error(
            "--columns: there is no column '{}'; {}", shown,
            near.empty() ? "the table has " + format_list(names) : fmt::format("did you mean '{}'?", near));
    }
    if (std::ranges::count(names, item.name) > 1) {
        throw_input_error("--columns: '{}' is the name of several columns; choose by number, from 1 on",
                          shown);
    }
    return {position - 1};
}

std::vector<std::int64_t> CsvColumns::positions(std::int64_t count,
                                                const std::vector<std::string>& names) const {
    std::vector<std::int64_t> chosen;
    std::vector<bool> seen(static_cast<std::size_t>(count), false);
    for (const Item& item : items_) {
        for (const std::int64_t position : positions_of(item, count, names)) {
            const auto at = static_cast<std::size_t>(position);
            if (seen[at]) throw_input_error("--columns: column {} is there twice", position + 1);
            seen[at] = true;
            chosen.push_back(position);
        }
    }
    if (!all() && !without_) return chosen;
    chosen.clear();
    for (std::int64_t position = 0; position < count; ++position) {
        if (!seen[static_cast<std::size_t>(position)]) chosen.push_back(position);
    }
    if (chosen.empty()) throw_input_error("--columns leaves out every column of the table");
    return chosen;
}

}  // namespace vae_dist
