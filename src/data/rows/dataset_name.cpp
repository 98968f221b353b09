#include "vae_dist/data/rows/dataset_name.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <optional>

#include "vae_dist/core/error.hpp"
#include "vae_dist/data/hdf5/hdf5.hpp"
#include "vae_dist/data/rows/matching_files.hpp"

namespace vae_dist {

namespace {

bool is_complete(const DatasetName& name) {
    return !name.file.empty() && !name.dataset.empty() && !name.dataset.ends_with('/');
}

std::string without_quotes(const std::string& text) {
    const bool has_both = text.size() >= 2 && text.starts_with('"') && text.ends_with('"');
    return has_both ? text.substr(1, text.size() - 2) : text;
}

/// What a text with quotes around a part means; none where there are no such quotes.
std::optional<DatasetName> quoted_reading(const std::string& text) {
    if (text.starts_with('"')) {
        const std::size_t end = text.find("\":", 1);
        if (end != std::string::npos)
            return DatasetName{text.substr(1, end - 1), without_quotes(text.substr(end + 2))};
    }
    if (text.size() > 1 && text.ends_with('"')) {
        const std::size_t begin = text.rfind(":\"", text.size() - 2);
        if (begin != std::string::npos)
            return DatasetName{text.substr(0, begin), without_quotes(text.substr(begin + 1))};
    }
    return std::nullopt;
}

/// How much of a reading exists.
enum class Found { nothing, file, dataset };

Found look_for(const DatasetName& name) {
    std::vector<std::string> files;
    try {
        files = matching_files(name.file);
    } catch (const Error&) {
        return Found::nothing;  // opening it says so, if this reading is meant
    }
    std::error_code error;
    if (!std::filesystem::exists(files.front(), error)) return Found::nothing;
    if (std::filesystem::is_directory(files.front(), error)) return Found::nothing;
    try {
        const hdf5::NodeKind kind = hdf5::File::open(files.front()).kind(name.dataset);
        return kind == hdf5::NodeKind::missing ? Found::file : Found::dataset;
    } catch (const Error&) {
        return Found::file;
    }
}

std::string described(const DatasetName& name) {
    return fmt::format("the dataset '{}' in the file '{}'", name.dataset, name.file);
}

std::string described(const std::vector<DatasetName>& names, std::string_view between) {
    std::vector<std::string> texts;
    for (const DatasetName& name : names)
        texts.push_back(described(name));
    return fmt::format("{}", fmt::join(texts, between));
}

void require_readings(const std::string& text, const std::vector<DatasetName>& readings) {
    if (!readings.empty()) return;
    std::error_code error;
    const bool is_file = !text.empty() && std::filesystem::is_regular_file(text, error);
    throw_input_error(
        "'{}' {}; write it as FILE.h5:DATASET, such as {}", text,
        is_file ? "is a file, but no dataset in it is named" : "does not name a dataset in a file",
        is_file ? text + ":train/x" : "data.h5:train/x");
}

}  // namespace

std::vector<DatasetName> readings_of(const std::string& text) {
    std::vector<DatasetName> readings;
    if (const auto as_quoted = quoted_reading(text)) {
        if (is_complete(*as_quoted)) readings.push_back(*as_quoted);
        return readings;
    }
    for (std::size_t colon = text.find(':'); colon != std::string::npos; colon = text.find(':', colon + 1)) {
        DatasetName name = {text.substr(0, colon), text.substr(colon + 1)};
        if (is_complete(name)) readings.push_back(std::move(name));
    }
    return readings;
}

std::string quoted(const DatasetName& name) {
    return fmt::format("'\"{}\":\"{}\"'", name.file, name.dataset);
}

DatasetName existing_dataset(const std::string& text) {
    const std::vector<DatasetName> readings = readings_of(text);
    require_readings(text, readings);
    if (readings.size() == 1) return readings.front();
    std::vector<DatasetName> datasets;
    std::vector<DatasetName> files;
    for (const DatasetName& reading : readings) {
        const Found found = look_for(reading);
        if (found == Found::dataset) datasets.push_back(reading);
        if (found != Found::nothing) files.push_back(reading);
    }
    if (datasets.size() == 1) return datasets.front();
    if (!datasets.empty()) {
        throw_input_error("'{}' may be {}, and both exist; put quotes around the parts: {}", text,
                          described({datasets[0], datasets[1]}, ", or "), quoted(datasets[0]));
    }
    if (files.size() == 1) return files.front();
    throw_input_error("'{}' was not found. Tried: {}. Quotes tell the parts apart: {}", text,
                      described(readings, "; "), quoted(readings.front()));
}

DatasetName new_dataset(const std::string& text) {
    const std::vector<DatasetName> readings = readings_of(text);
    require_readings(text, readings);
    if (readings.size() == 1) return readings.front();
    std::vector<DatasetName> likely;
    for (const DatasetName& reading : readings) {
        if (reading.file.ends_with(".h5") || reading.file.ends_with(".hdf5")) likely.push_back(reading);
    }
    if (likely.size() == 1) return likely.front();
    const std::vector<DatasetName>& possible = likely.empty() ? readings : likely;
    throw_input_error("'{}' may be {}; put quotes around the parts: {}", text, described(possible, ", or "),
                      quoted(possible.front()));
}

}  // namespace vae_dist
