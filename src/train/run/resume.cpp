#include "vae_dist/train/run/resume.hpp"

#include <array>
#include <filesystem>
#include <vector>

#include "vae_dist/comm/agreement.hpp"
#include "vae_dist/config/load.hpp"
#include "vae_dist/core/error.hpp"
#include "vae_dist/core/text.hpp"
#include "vae_dist/train/run/training_data.hpp"

namespace vae_dist {

namespace {

[[noreturn]] void throw_other_data(const char* key, const std::string& difference) {
    throw_input_error(
        "the run was begun on other data in {}: {}. Restore them, or choose another output.directory", key,
        difference);
}

void require_same_dataset(const char* key, const DatasetIdentity& then, const DatasetIdentity& now) {
    const auto differ = [&](const char* what, const std::string& before, const std::string& after) {
        if (before != after) throw_other_data(key, fmt::format("{} {} then, {} now", what, before, after));
    };
    differ("the files were named", then.files, now.files);
    differ("they were", then.form, now.form);
    if (then.sample == now.sample) return;
    throw_other_data(key,
                     fmt::format("names and shapes are the same, but not the numbers in the samples that "
                                 "are compared ({} then, {} now)",
                                 then.sample, now.sample));
}

std::vector<std::string> names_without_folders(const std::vector<std::string>& files) {
    std::vector<std::string> names;
    for (const std::string& file : files)
        names.push_back(std::filesystem::path(file).filename().string());
    return names;
}

}  // namespace

std::optional<Checkpoint> load_newest_checkpoint(RunRecorder* recorder, Communicator& communicator,
                                                 const Log& log) {
    std::optional<FoundCheckpoint> found;
    run_on_first_rank(communicator, [&] { found = recorder->newest_checkpoint(); });
    std::array<std::int64_t, 1> size = {found ? static_cast<std::int64_t>(found->bytes.size()) : 0};
    communicator.broadcast(std::as_writable_bytes(std::span(size)), 0);
    if (size[0] == 0) return std::nullopt;
    if (!found) found = {"", std::vector<std::byte>(static_cast<std::size_t>(size[0]))};
    found->name = broadcast_text(communicator, found->name, 0);
    communicator.broadcast(found->bytes, 0);
    std::optional<Checkpoint> checkpoint;
    run_together(communicator, [&] { checkpoint = parse_checkpoint(found->bytes, found->name); });
    log.info("going on from {}", found->name);
    return checkpoint;
}

void require_same_configuration(const Config& config, const Checkpoint& checkpoint) {
    const std::vector<std::string> changed = changed_result_keys(checkpoint.config, config);
    if (changed.empty()) return;
    throw_input_error(
        "the run in {} was begun with another configuration; changed: {}. Restore {}, or choose another "
        "output.directory",
        config.output.directory, format_list(changed), changed.size() == 1 ? "it" : "them");
}

void require_same_data(const Config& config, const RowSource& train, const DataIdentity& identity,
                       const Checkpoint& checkpoint, const Log& log) {
    if (data_fingerprint(train) != checkpoint.data_fingerprint) {
        throw_input_error(
            "the run was begun on other data: then {} of shape {}, now {} of shape {}, {}; or their type or "
            "chunks differ",
            counted(checkpoint.data_rows, "sample"), format_shape(checkpoint.row_shape),
            format_count(train.rows()), format_shape(train.row_shape()), train.description());
    }
    std::vector<std::string> moved;
    const auto compare = [&](const char* key, const std::optional<DatasetConfig>& before,
                             const std::optional<DatasetConfig>& now,
                             const std::optional<DatasetIdentity>& saved,
                             const std::optional<DatasetIdentity>& mine) {
        if (!now || !before) return;  // changed_result_keys looks at that
        if (saved) {
            require_same_dataset(key, *saved, mine.value());
        } else if (names_without_folders(before->files) != names_without_folders(now->files)) {
            throw_other_data(key, fmt::format("{}.files was {}, and is {}", key, format_list(before->files),
                                              format_list(now->files)));
        }
        if (before->files == now->files) return;
        moved.push_back(fmt::format("{}.files was {}, and is {}", key, format_list(before->files, 4),
                                    format_list(now->files, 4)));
    };
    compare("data.train", checkpoint.config.data.train, config.data.train, checkpoint.data_identity.train,
            identity.train);
    compare("data.validation", checkpoint.config.data.validation, config.data.validation,
            checkpoint.data_identity.validation, identity.validation);
    if (moved.empty()) return;
    log.info("the data lie elsewhere: {}; {}", fmt::join(moved, "; "),
             checkpoint.data_identity.train ? "names, shapes and sampled rows are the same"
                                            : "the names are the same, and the checkpoint tells no more");
}

}  // namespace vae_dist
