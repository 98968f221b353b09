#include "vae_dist/train/record/run_directory.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <string_view>
#include <system_error>
#include <vector>

#include "vae_dist/core/error.hpp"

namespace vae_dist {

namespace {

constexpr std::string_view kConfigHeader = "# The resolved configuration of this run, written by vae_dist.\n";

void create_folder(const std::filesystem::path& folder) {
    try {
        create_writable_folder(folder);
    } catch (const Error& error) {
        throw Error(error.kind(), fmt::format("{}; choose another output.directory", error.what()));
    }
}

}  // namespace

RunDirectory::RunDirectory(const std::string& directory)
    : path_(directory), checkpoints_(path_ / "checkpoints") {
    create_folder(path_);
    require_own_folder();
    lock_.emplace(path_);
    create_folder(checkpoints_);
    remove_temporaries(path_);
    remove_temporaries(checkpoints_);
}

std::optional<FoundCheckpoint> RunDirectory::newest_checkpoint(const Log& log) {
    auto found =
        newest_complete_checkpoint(checkpoints_, "move that folder away to start this run anew", log);
    if (found) {
        set_newest_complete(found->name);
    } else if (std::filesystem::exists(best_path())) {
        throw_input_error("{} exists, but no checkpoint to go on from; move it away to start this run anew",
                          best_path().string());
    }
    return found;
}

void RunDirectory::write_or_name_newest(const std::function<void()>& write) const {
    try {
        write();
    } catch (const Error& error) {
        throw_naming_newest(error.what());
    } catch (const std::exception& error) {
        throw_naming_newest(fmt::format("cannot write into {}: {}", path_.string(), error.what()).c_str());
    }
}

std::string RunDirectory::write_checkpoint(std::int64_t step, std::span<const std::byte> bytes,
                                           const CheckpointSchedule& schedule, const Log& log) {
    const std::filesystem::path path = checkpoints_ / checkpoint_name(step);
    write_or_name_newest([&] { write_file_atomically(path, bytes); });
    set_newest_complete(path.string());
    write_or_name_newest([&] { remove_superseded(step, schedule, log); });
    return (checkpoints_.filename() / path.filename()).string();
}

void RunDirectory::write_best(std::span<const std::byte> bytes) {
    write_or_name_newest([&] { write_file_atomically(best_path(), bytes); });
}

void RunDirectory::write_config(const std::string& yaml) {
    write_or_name_newest([&] { write_file_atomically(config_path(), std::string(kConfigHeader) + yaml); });
}

void RunDirectory::remove_superseded(std::int64_t newest, const CheckpointSchedule& schedule,
                                     const Log& log) const {
    std::vector<std::int64_t> steps;
    const std::vector<CheckpointFile> files = checkpoint_files(checkpoints_);
    for (const CheckpointFile& file : files)
        steps.push_back(file.step);
    const std::vector<std::int64_t> superseded = schedule.superseded(steps, newest);
    for (const CheckpointFile& file : files) {
        if (std::find(superseded.begin(), superseded.end(), file.step) == superseded.end()) continue;
        std::error_code error;
        std::filesystem::remove(file.path, error);
        if (error) log.warn("cannot remove the old checkpoint {}: {}", file.path.string(), error.message());
    }
}

void RunDirectory::set_newest_complete(const std::string& name) {
    const std::lock_guard lock(mutex_);
    newest_complete_ = name;
}

void RunDirectory::throw_naming_newest(const char* what) const {
    const std::lock_guard lock(mutex_);
    if (newest_complete_.empty()) throw_failure("{}; there is no complete checkpoint yet", what);
    throw_failure("{}; the newest complete checkpoint is {}", what, newest_complete_);
}

void RunDirectory::require_own_folder() const {
    if (std::filesystem::exists(config_path())) {
        if (read_text_file(config_path()).starts_with(kConfigHeader)) return;
        throw_input_error(
            "{} was not written by vae_dist, and a run would replace it; choose another "
            "output.directory",
            config_path().string());
    }
    if (std::filesystem::exists(checkpoints_) && !checkpoint_files(checkpoints_).empty()) return;
    for (const auto& file : {metrics_path(), best_path()}) {
        if (!std::filesystem::exists(file)) continue;
        throw_input_error(
            "{} exists, but no config.yaml of a run beside it, and a run would replace it; choose another "
            "output.directory",
            file.string());
    }
}

}  // namespace vae_dist
