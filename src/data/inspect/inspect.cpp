#include "vae_dist/data/inspect/inspect.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <optional>
#include <utility>
#include <vector>

#include "data/hdf5/unstored.hpp"
#include "data/inspect/recognise.hpp"
#include "data/inspect/training_advice.hpp"
#include "data/rows/dataset_rows.hpp"
#include "vae_dist/core/error.hpp"
#include "vae_dist/core/shape.hpp"
#include "vae_dist/core/text.hpp"
#include "vae_dist/data/hdf5/hdf5.hpp"
#include "vae_dist/data/rows/declarations.hpp"

namespace vae_dist {

namespace {

constexpr std::size_t kMostDatasets = 12;
constexpr std::size_t kMostAttributes = 12;
constexpr std::size_t kMostText = 60;

// A file's text without the characters that would steer a terminal or break a line: the control characters of
// ASCII, and those of Latin 1 (U+0080 to U+009F), which UTF-8 begins with C2.
std::string on_one_line(std::string_view text) {
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

// One line, cut where it is long.
std::string as_line(const std::string& text) {
    if (text.size() <= kMostText) return on_one_line(text);
    return fmt::format("{}... ({} characters)", on_one_line(text.substr(0, kMostText)),
                       format_count(static_cast<std::int64_t>(text.size())));
}

std::string describe_attributes(const hdf5::File& file, const std::string& object,
                                const std::string& indent) {
    const std::vector<std::string> names = file.attributes(object);
    std::string text;
    for (std::size_t i = 0; i < std::min(names.size(), kMostAttributes); ++i) {
        text += fmt::format("{}{}: {}\n", indent, on_one_line(names[i]),
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
    std::string part;  // what it is a part of, if it does not hold samples
    Declarations declarations;
    std::optional<ValueSummary> values;
    std::optional<TrainingAdvice> advice;  // absent: not looked at, or no numbers
};

Entry examine(const hdf5::File& file, const std::string& dataset) {
    Entry entry;
    entry.name = dataset.substr(1);
    try {
        entry.info = file.info(dataset);
        entry.part = recognised_part(file, dataset, *entry.info);
        entry.declarations = read_declarations(file, dataset);
    } catch (const Error& error) {
        entry.trouble = error.what();
    }
    return entry;
}

bool holds_rows_of_numbers(const Entry& entry) {
    return entry.info && entry.info->type && !entry.info->shape.empty();
}

// What training would refuse, and how it is told to do what the file says.
void heed_declarations(const hdf5::File& file, Entry& entry) {
    TrainingAdvice& advice = *entry.advice;
    if (const auto unstored = hdf5::find_unstored_rows(file, entry.name)) {
        advice.obstacle = unstored->text();
    } else if (entry.declarations.is_packed()) {
        // What the raw numbers look like says nothing; that some of them are missing or not finite does.
        const bool has_gaps =
            entry.values && (entry.values->marks > 0 || entry.values->finite < entry.values->values);
        advice = {.kind = "packed numbers",
                  .obstacle = has_gaps ? advice.obstacle : "",
                  .scale = "",
                  .transform = "standardize",
                  .likelihood = "gaussian",
                  .conventions = "netcdf"};
    } else if (!entry.declarations.matlab_class.empty()) {
        advice.conventions = "matlab";
        return;
    }
    if (!advice.obstacle.empty() || !entry.declarations.limits_values()) return;
    const DatasetRows rows(file.path(), entry.name, {.conventions = Conventions::netcdf});
    if (rows.any_missing()) {
        advice.obstacle = fmt::format("it has missing values ({}) in {}", missing_text(entry.declarations),
                                      rows.share_missing());
    }
}

// Once: reading takes time.
void look_at_values(const hdf5::File& file, Entry& entry) {
    if (entry.advice || !holds_rows_of_numbers(entry)) return;
    try {
        std::vector<double> marks;
        for (const MissingValue& missing : entry.declarations.missing)
            marks.push_back(missing.value);
        entry.values = summarise_values(file.path(), entry.name, *entry.info, marks);
        entry.advice = advise(entry.name, *entry.info, entry.values);
        if (entry.part.empty()) heed_declarations(file, entry);
    } catch (const Error& error) {
        entry.trouble = error.what();
        entry.advice.emplace().obstacle = "it cannot be read";
    }
}

std::string describe_numbers(const Entry& entry) {
    if (!entry.values) return element_count(entry.info->shape) == 0 ? "empty" : "rows too long to sample";
    return describe_values(*entry.values);
}

std::string describe_dataset(const hdf5::File& file, const Entry& entry) {
    if (!entry.info) return fmt::format("{}\n    {}\n", on_one_line(entry.name), on_one_line(entry.trouble));
    std::string text =
        fmt::format("{}  {}\n", on_one_line(entry.name), on_one_line(describe_storage(*entry.info)));
    if (!entry.part.empty()) text += fmt::format("    {}\n", entry.part);
    if (!entry.trouble.empty()) return text + fmt::format("    {}\n", on_one_line(entry.trouble));
    if (holds_rows_of_numbers(entry)) {
        const std::string kind = entry.part.empty() && entry.advice ? entry.advice->kind : "";
        text += fmt::format("    {}{}{}\n", describe_numbers(entry), kind.empty() ? "" : ": ", kind);
    }
    try {
        for (const std::string& line : list_declarations(file, entry.name))
            text += fmt::format("    note: {}\n", on_one_line(line));
        text += describe_attributes(file, entry.name, "    ");
    } catch (const Error& error) {
        text += fmt::format("    {}\n", on_one_line(error.what()));
    }
    return text;
}

std::string describe_dead_links(const hdf5::File& file) {
    const std::vector<std::string> links = file.dead_links();
    std::string text;
    for (std::size_t i = 0; i < std::min(links.size(), kMostDatasets); ++i)
        text += on_one_line(links[i]) + "\n";
    if (links.size() > kMostDatasets)
        text += fmt::format("... and {} more links that lead nowhere\n", links.size() - kMostDatasets);
    return text;
}

// As YAML takes it, in one line.
std::string in_yaml(const std::string& text) {
    const bool plain = std::all_of(text.begin(), text.end(), [](unsigned char c) {
        return std::isalnum(c) != 0 || c == '/' || c == '_' || c == '.' || c == '-';
    });
    if (plain && !text.starts_with('-')) return text;
    std::string quoted;
    for (const char c : text)
        quoted += c == '"' || c == '\\' ? std::string("\\") + c : std::string(1, c);
    return fmt::format("\"{}\"", on_one_line(quoted));
}

std::string setting(const char* key, const std::string& value) {
    return value.empty() ? "" : fmt::format(", {}: {}", key, value);
}

std::string recommendation(const std::string& path, const Entry& entry) {
    const TrainingAdvice& advice = *entry.advice;
    return fmt::format(
        "to train on it:  data: {{train: {{files: [{}], dataset: {}}}{}{}{}}}\n"
        "                 model: {{likelihood: {}}}\n",
        in_yaml(path), in_yaml(entry.name), setting("conventions", advice.conventions),
        setting("scale", advice.scale), setting("transform", advice.transform), advice.likelihood);
}

// The dataset with most numbers of those that are samples, rather with several numbers a sample than with
// one.
std::string describe_training(const hdf5::File& file, std::vector<Entry>& entries) {
    std::vector<Entry*> candidates;
    for (Entry& entry : entries) {
        if (holds_rows_of_numbers(entry) && entry.part.empty()) candidates.push_back(&entry);
    }
    const auto rank = [](const Entry* entry) {
        return std::pair(entry->info->shape.size() > 1, element_count(entry->info->shape));
    };
    std::stable_sort(candidates.begin(), candidates.end(),
                     [&](const Entry* a, const Entry* b) { return rank(a) > rank(b); });
    // Single numbers are beside the point where there are rows of several, even if those do not serve.
    if (!candidates.empty() && candidates.front()->info->shape.size() > 1)
        std::erase_if(candidates, [](const Entry* entry) { return entry->info->shape.size() == 1; });
    constexpr std::size_t kMostLookedAt = 12;
    candidates.resize(std::min(candidates.size(), kMostLookedAt));
    std::string why;
    for (Entry* entry : candidates) {
        look_at_values(file, *entry);
        if (entry->advice->obstacle.empty()) return recommendation(file.path(), *entry);
        if (why.empty()) why = fmt::format("{}: {}", on_one_line(entry->name), entry->advice->obstacle);
    }
    if (why.empty()) why = "no dataset holds rows of numbers that are samples";
    return fmt::format("nothing to train on: {}\n", why);
}

}  // namespace

std::string describe_data_file(const std::string& path) {
    const hdf5::File file = hdf5::File::open(path);
    std::vector<Entry> entries;
    const std::vector<std::string> datasets = file.datasets();
    for (const std::string& dataset : datasets)
        entries.push_back(examine(file, dataset));
    std::string text =
        fmt::format("{}: HDF5, {}, {} dataset{}\n", path, format_bytes(std::filesystem::file_size(path)),
                    entries.size(), entries.size() == 1 ? "" : "s");
    const std::string format = recognised_format(file, datasets);
    if (!format.empty()) text += fmt::format("  {}\n", on_one_line(format));
    text += describe_attributes(file, "/", "  ");
    for (std::size_t i = 0; i < std::min(entries.size(), kMostDatasets); ++i) {
        look_at_values(file, entries[i]);
        text += describe_dataset(file, entries[i]);
    }
    if (entries.size() > kMostDatasets)
        text += fmt::format("... and {} more datasets\n", entries.size() - kMostDatasets);
    return text + describe_dead_links(file) + describe_training(file, entries);
}

}  // namespace vae_dist
