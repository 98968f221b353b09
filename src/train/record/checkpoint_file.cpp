#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>

#include "vae_dist/config/load.hpp"
#include "vae_dist/core/checksum.hpp"
#include "vae_dist/core/error.hpp"
#include "vae_dist/core/instruction_set.hpp"
#include "vae_dist/data/hdf5/hdf5.hpp"
#include "vae_dist/train/record/checkpoint.hpp"

namespace vae_dist {

namespace {

using hdf5::File;

// Only where it is so: the files of all other steps are equal whether or not their run was ever stopped.
constexpr const char* kEpochEndPending = "epoch_end_pending";

// HDF5 itself does not checksum a long text.
std::int64_t checksum(const std::string& text) {
    return crc32_of(std::as_bytes(std::span(text)));
}

std::string config_text(Config config) {
    config.output.directory.clear();
    return to_yaml(config);
}

// Calls visit(attribute's name, member) for each number of Progress but the log window's terms.
template <class Progress_, class Visitor>
void visit_progress(Progress_& progress, const Visitor& visit) {
    visit("step", progress.step);
    visit("epoch", progress.epoch);
    visit("samples_in_epoch", progress.samples_in_epoch);
    visit("updates", progress.updates);
    visit("nonfinite_in_a_row", progress.nonfinite_in_a_row);
    visit("elbo", progress.validation_elbo);
    visit("best_elbo", progress.best_elbo);
    visit("iwae_bound", progress.validation_bound);
    visit("best_iwae_bound", progress.best_bound);
}

// Without these a file is one of a run with one importance sample, written before there could be more.
bool is_added_later(std::string_view attribute) {
    return attribute == "iwae_bound" || attribute == "best_iwae_bound";
}

constexpr std::string_view kWindowPrefix = "log_window_";
constexpr const char* kWindowSamples = "log_window_samples";

// The bound is there in all files, 0 where the model has none.
void write_window(File& file, const LogWindow& window) {
    const auto write = [&](std::string_view name, double value) {
        file.write_attribute("/", fmt::format("{}{}", kWindowPrefix, name), value);
    };
    for (std::size_t i = 0; i < window.sums.names().size(); ++i)
        write(window.sums.names()[i], window.sums.values()[i]);
    if (!window.sums.bound()) write(TermValues::kBound, 0);
    file.write_attribute("/", kWindowSamples, window.samples);
}

// All terms that the file has, in the order of their names.
LogWindow read_window(const File& file) {
    std::vector<std::string> names;
    std::vector<double> sums;
    for (const std::string& attribute : file.attributes("/")) {
        if (!attribute.starts_with(kWindowPrefix) || attribute == kWindowSamples) continue;
        names.push_back(attribute.substr(kWindowPrefix.size()));
        sums.push_back(file.read_double_attribute("/", attribute));
    }
    LogWindow window = {.sums = TermValues(std::move(names)),
                        .samples = file.read_int_attribute("/", kWindowSamples)};
    std::ranges::copy(sums, window.sums.values().begin());
    return window;
}

void write_arrays(File& file, const std::string& group, const std::vector<NamedArray>& arrays) {
    for (const NamedArray& array : arrays) {
        file.write_floats(group + "/" + array.name, array.shape, array.values, true);
    }
}

std::vector<NamedArray> read_arrays(const File& file, const std::string& group) {
    std::vector<NamedArray> arrays;
    for (const std::string& path : file.datasets(group)) {
        arrays.push_back({path.substr(group.size() + 1), file.info(path).shape, file.read_floats(path)});
    }
    return arrays;
}

void write_statistics(File& file, const std::string& group, const FeatureStatistics& statistics) {
    const std::array shape = {std::ssize(statistics.mean)};
    file.write_doubles(group + "/mean", shape, statistics.mean, true);
    file.write_doubles(group + "/standard_deviation", shape, statistics.deviation, true);
    file.write_attribute(group, "rows", statistics.rows);
}

FeatureStatistics read_statistics(const File& file, const std::string& group) {
    return {.mean = file.read_doubles(group + "/mean"),
            .deviation = file.read_doubles(group + "/standard_deviation"),
            .rows = file.read_int_attribute(group, "rows")};
}

std::string group_of_condition(const std::string& name) {
    return "/conditions/" + name;
}

std::vector<std::int64_t> parse_shape(const std::string& text) {
    std::vector<std::int64_t> shape;
    for (std::size_t at = 0; at < text.size();) {
        std::size_t length = 0;
        shape.push_back(std::stoll(text.substr(at), &length));
        at += length + 1;
    }
    return shape;
}

void write_identity(File& file, const std::string& name, const std::optional<DatasetIdentity>& identity) {
    if (!identity) return;
    file.write_attribute("/", name + "_files", identity->files);
    file.write_attribute("/", name + "_form", identity->form);
    file.write_attribute("/", name + "_sample", identity->sample);
}

std::optional<DatasetIdentity> read_identity(const File& file, const std::string& name) {
    if (!file.has_attribute("/", name + "_sample")) return std::nullopt;
    return DatasetIdentity{.files = file.read_text_attribute("/", name + "_files"),
                           .form = file.read_text_attribute("/", name + "_form"),
                           .sample = file.read_text_attribute("/", name + "_sample")};
}

// Every array of optimizer state belongs to an array of the model, and the other way round.
void require_complete(const Checkpoint& checkpoint, const std::string& name) {
    for (const auto& [state, arrays] : checkpoint.optimizer) {
        const bool same = std::ranges::equal(
            arrays, checkpoint.model,
            [](const NamedArray& a, const NamedArray& b) { return a.name == b.name && a.shape == b.shape; });
        if (!same)
            throw_input_error("'{}' is incomplete: /optimizer/{} and /model hold other arrays", name, state);
    }
}

bool has_marks_of_checkpoint(const File& file) {
    return file.has_attribute("/", "format_version") && file.kind("/model") == hdf5::NodeKind::group;
}

void require_format(const File& file) {
    if (!has_marks_of_checkpoint(file)) {
        throw_input_error("'{}' is an HDF5 file, but not a checkpoint of vae_dist", file.path());
    }
    const std::int64_t version = file.read_int_attribute("/", "format_version");
    if (version != kCheckpointFormat) {
        throw_input_error("'{}' has checkpoint format {}, but this program reads format {}", file.path(),
                          version, kCheckpointFormat);
    }
}

// The arrays, and enough for what chunks are larger than their contents, and for all else.
std::size_t expected_bytes(const Checkpoint& checkpoint) {
    std::size_t bytes = 0;
    for (const NamedArray& array : checkpoint.model)
        bytes += (1 + checkpoint.optimizer.size()) * array.values.size() * sizeof(float);
    if (checkpoint.statistics) bytes += 2 * checkpoint.statistics->mean.size() * sizeof(double);
    for (const FeatureStatistics& condition : checkpoint.condition_statistics)
        bytes += 2 * condition.mean.size() * sizeof(double);
    constexpr std::size_t kMargin = std::size_t{1} << 20;
    return bytes + bytes / 16 + kMargin;
}

}  // namespace

std::string program_signature(const Backend& backend) {
    return fmt::format("vae_dist {}, {}; {}", VAE_DIST_VERSION, instruction_set(), backend.description());
}

void require_checkpoint(const std::string& path) {
    require_format(File::open(path));
}

bool is_checkpoint(const std::string& path) {
    try {
        return has_marks_of_checkpoint(File::open(path));
    } catch (const Error&) {
        return false;  // opening it for use throws the reason
    }
}

std::vector<std::byte> checkpoint_bytes(const Checkpoint& checkpoint) {
    File file = File::create_in_memory(expected_bytes(checkpoint));
    const std::string config = config_text(checkpoint.config);
    file.write_attribute("/", "format_version", kCheckpointFormat);
    file.write_attribute("/", "created_by", checkpoint.created_by);
    file.write_attribute("/", "config", config);
    file.write_attribute("/", "config_crc32", checksum(config));
    file.write_attribute("/", "seed", static_cast<std::int64_t>(checkpoint.config.train.seed));
    file.write_attribute("/", "virtual_ranks", checkpoint.config.train.virtual_ranks.value());
    file.write_attribute("/", "data_rows", checkpoint.data_rows);
    file.write_attribute("/", "data_fingerprint", checkpoint.data_fingerprint);
    file.write_attribute("/", "data_row_shape", fmt::format("{}", fmt::join(checkpoint.row_shape, ",")));
    if (!checkpoint.data_type.empty()) file.write_attribute("/", "data_type", checkpoint.data_type);
    write_identity(file, "data", checkpoint.data_identity.train);
    write_identity(file, "validation", checkpoint.data_identity.validation);
    visit_progress(checkpoint.progress,
                   [&](const char* name, const auto& value) { file.write_attribute("/", name, value); });
    write_window(file, checkpoint.progress.window);
    if (checkpoint.progress.epoch_end_pending) file.write_attribute("/", kEpochEndPending, std::int64_t{1});
    write_arrays(file, "/model", checkpoint.model);
    for (const auto& [state, arrays] : checkpoint.optimizer)
        write_arrays(file, "/optimizer/" + state, arrays);
    if (checkpoint.statistics) write_statistics(file, "/data", *checkpoint.statistics);
    const std::vector<std::string>& conditions = checkpoint.config.model.condition.on;
    require(conditions.size() == checkpoint.condition_statistics.size(),
            "every condition has its statistics");
    for (std::size_t i = 0; i < conditions.size(); ++i)
        write_statistics(file, group_of_condition(conditions[i]), checkpoint.condition_statistics[i]);
    return file.take_image();
}

Checkpoint parse_checkpoint(std::span<const std::byte> bytes, const std::string& name) {
    const File file = File::open_bytes(bytes, name);
    require_format(file);
    Checkpoint checkpoint;
    checkpoint.created_by = file.read_text_attribute("/", "created_by");
    const std::string config = file.read_text_attribute("/", "config");
    if (checksum(config) != file.read_int_attribute("/", "config_crc32")) {
        throw_input_error("'{}' is damaged: its configuration does not match its checksum", name);
    }
    checkpoint.config = parse_config(config, name, {}, false);
    checkpoint.data_rows = file.read_int_attribute("/", "data_rows");
    checkpoint.data_fingerprint = file.read_int_attribute("/", "data_fingerprint");
    checkpoint.row_shape = parse_shape(file.read_text_attribute("/", "data_row_shape"));
    if (file.has_attribute("/", "data_type"))
        checkpoint.data_type = file.read_text_attribute("/", "data_type");
    checkpoint.data_identity = {.train = read_identity(file, "data"),
                                .validation = read_identity(file, "validation")};
    visit_progress(checkpoint.progress, [&]<class T>(const char* attribute, T& value) {
        if (is_added_later(attribute) && !file.has_attribute("/", attribute)) return;
        if constexpr (std::is_same_v<T, double>) {
            value = file.read_double_attribute("/", attribute);
        } else {
            value = file.read_int_attribute("/", attribute);
        }
    });
    checkpoint.progress.window = read_window(file);
    if (!checkpoint.progress.window.sums.has_elbo())
        throw_input_error("'{}' is incomplete: its log window lacks terms of the ELBO", name);
    checkpoint.progress.epoch_end_pending =
        file.has_attribute("/", kEpochEndPending) && file.read_int_attribute("/", kEpochEndPending) != 0;
    checkpoint.model = read_arrays(file, "/model");
    if (file.kind("/optimizer") == hdf5::NodeKind::group) {
        for (const std::string& state : file.members("/optimizer")) {
            checkpoint.optimizer.emplace_back(state, read_arrays(file, "/optimizer/" + state));
        }
    }
    require_complete(checkpoint, name);
    if (file.kind("/data") == hdf5::NodeKind::group) checkpoint.statistics = read_statistics(file, "/data");
    for (const std::string& condition : checkpoint.config.model.condition.on)
        checkpoint.condition_statistics.push_back(read_statistics(file, group_of_condition(condition)));
    return checkpoint;
}

}  // namespace vae_dist
