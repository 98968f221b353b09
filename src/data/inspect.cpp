#include "vae_dist/data/inspect.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <optional>

#include "vae_dist/core/error.hpp"
#include "vae_dist/core/shape.hpp"
#include "vae_dist/core/text.hpp"
#include "vae_dist/data/declarations.hpp"
#include "vae_dist/data/hdf5.hpp"

namespace vae_dist {

namespace {

constexpr std::size_t kMostDatasets = 12;
constexpr std::size_t kMostAttributes = 12;
constexpr std::size_t kMostText = 60;

// A file's text without the characters that would steer a terminal or break a line: the control characters of
// ASCII, and those of Latin 1 (U+0080 to U+009F), which UTF-8 begins with C2.
std::string printable(std::string_view text) {
    std::string clean;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        const unsigned next = i + 1 < text.size() ? static_cast<unsigned char>(text[i + 1]) : 0;
        if (byte == 0xC2 && next >= 0x80 && next <= 0x9F) {
            clean += fmt::format("\\x{:02x}", next);
            ++i;
        } else if (byte < 0x20 || byte == 0x7F) {
            clean += byte == '\n' ? "\\n" : byte == '\t' ? "\\t" : fmt::format("\\x{:02x}", byte);
        } else {
            clean += text[i];
        }
    }
    return clean;
}

// Shape, type, and how it is stored.
std::string describe_storage(const hdf5::DatasetInfo& info) {
    std::string text = fmt::format("{}  {}", format_shape(info.shape), info.type_name);
    if (!info.chunk.empty()) text += fmt::format(", chunks {}", format_shape(info.chunk));
    if (!info.filters.empty()) text += fmt::format(", {}", fmt::join(info.filters, " + "));
    text += info.is_virtual ? ", virtual (its numbers lie in other datasets)"
                            : fmt::format(", {}", format_bytes(info.stored_bytes));
    if (info.type && !info.filters.empty() && element_count(info.shape) > 0) {
        const auto raw =
            static_cast<double>(element_count(info.shape)) * static_cast<double>(element_bytes(*info.type));
        text += fmt::format(" ({:.0f}% of {})", 100 * static_cast<double>(info.stored_bytes) / raw,
                            format_bytes(static_cast<std::uint64_t>(raw)));
    }
    return text;
}

// Smallest, largest and mean of the first rows; not finite ones are counted.
std::string describe_values(const std::string& path, const std::string& dataset,
                            const hdf5::DatasetInfo& info) {
    constexpr std::int64_t kMostValues = std::int64_t{1} << 20;
    const std::int64_t row_values = element_count(std::span(info.shape).subspan(1));
    const std::int64_t rows =
        std::min(info.shape.front(), kMostValues / std::max<std::int64_t>(row_values, 1));
    if (rows == 0 || row_values == 0)
        return info.shape.front() == 0 || row_values == 0 ? "empty" : "rows too long to sample";
    const std::vector<double> values = hdf5::RowReader(path, dataset).read_doubles(0, rows);
    double lowest = std::numeric_limits<double>::infinity();
    double highest = -lowest;
    double sum = 0;
    std::int64_t finite = 0;
    for (const double value : values) {
        if (!std::isfinite(value)) continue;
        lowest = std::min(lowest, value);
        highest = std::max(highest, value);
        sum += value;
        ++finite;
    }
    const auto all = static_cast<std::int64_t>(values.size());
    const std::string which =
        rows == info.shape.front() ? "" : fmt::format(" in the first {} rows", format_count(rows));
    std::string text = "no finite values" + which;
    if (finite > 0) {
        text = fmt::format("values {:.6g} to {:.6g}, mean {:.6g}{}", lowest, highest,
                           sum / static_cast<double>(finite), which);
    }
    if (finite < all) text += fmt::format("; {} NaN or infinite", format_count(all - finite));
    return text;
}

// One line, cut where it is long.
std::string as_line(const std::string& text) {
    if (text.size() <= kMostText) return printable(text);
    return fmt::format("{}... ({} characters)", printable(text.substr(0, kMostText)),
                       format_count(static_cast<std::int64_t>(text.size())));
}

std::string describe_attributes(const hdf5::File& file, const std::string& object,
                                const std::string& indent) {
    const std::vector<std::string> names = file.attributes(object);
    std::string text;
    for (std::size_t i = 0; i < std::min(names.size(), kMostAttributes); ++i) {
        text += fmt::format("{}{}: {}\n", indent, printable(names[i]),
                            as_line(file.attribute_as_text(object, names[i])));
    }
    if (names.size() > kMostAttributes) {
        text += fmt::format("{}... and {} more attributes\n", indent, names.size() - kMostAttributes);
    }
    return text;
}

struct Entry {
    std::string name;
    std::optional<hdf5::DatasetInfo> info;  // absent: it cannot be read, because of `trouble`
    std::string trouble;
};

Entry examine(const hdf5::File& file, const std::string& dataset) {
    try {
        return {dataset.substr(1), file.info(dataset), ""};
    } catch (const Error& error) {
        return {dataset.substr(1), {}, error.what()};
    }
}

std::string describe_dataset(const hdf5::File& file, const Entry& entry) {
    if (!entry.info) return fmt::format("{}\n    {}\n", printable(entry.name), printable(entry.trouble));
    std::string text =
        fmt::format("{}  {}\n", printable(entry.name), printable(describe_storage(*entry.info)));
    try {
        for (const std::string& line : list_declarations(file, entry.name))
            text += fmt::format("    note: {}\n", printable(line));
        if (entry.info->type && !entry.info->shape.empty()) {
            text += fmt::format("    {}\n", describe_values(file.path(), entry.name, *entry.info));
        }
        text += describe_attributes(file, entry.name, "    ");
    } catch (const Error& error) {
        text += fmt::format("    {}\n", printable(error.what()));
    }
    return text;
}

std::string describe_dead_links(const hdf5::File& file) {
    const std::vector<std::string> links = file.dead_links();
    std::string text;
    for (std::size_t i = 0; i < std::min(links.size(), kMostDatasets); ++i)
        text += printable(links[i]) + "\n";
    if (links.size() > kMostDatasets)
        text += fmt::format("... and {} more links that lead nowhere\n", links.size() - kMostDatasets);
    return text;
}

// The largest dataset of rows of numbers; empty if there is none.
std::string dataset_to_train_on(const std::vector<Entry>& entries) {
    std::string best;
    std::int64_t most = 0;
    for (const Entry& entry : entries) {
        if (!entry.info || !entry.info->type || element_count(entry.info->shape) <= most ||
            entry.info->shape.empty())
            continue;
        most = element_count(entry.info->shape);
        best = entry.name;
    }
    return best;
}

}  // namespace

std::string describe_data_file(const std::string& path) {
    const hdf5::File file = hdf5::File::open(path);
    std::vector<Entry> entries;
    for (const std::string& dataset : file.datasets())
        entries.push_back(examine(file, dataset));
    std::string text =
        fmt::format("{}: HDF5, {}, {} dataset{}\n", path, format_bytes(std::filesystem::file_size(path)),
                    entries.size(), entries.size() == 1 ? "" : "s");
    text += describe_attributes(file, "/", "  ");
    for (std::size_t i = 0; i < std::min(entries.size(), kMostDatasets); ++i)
        text += describe_dataset(file, entries[i]);
    if (entries.size() > kMostDatasets)
        text += fmt::format("... and {} more datasets\n", entries.size() - kMostDatasets);
    text += describe_dead_links(file);
    const std::string best = dataset_to_train_on(entries);
    if (best.empty()) return text + "nothing to train on: no dataset holds rows of numbers\n";
    return text + fmt::format("to train on it:  data: {{train: {{files: [{}], dataset: {}}}}}\n", path,
                              printable(best));
}

}  // namespace vae_dist
