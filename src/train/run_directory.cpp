#include "vae_dist/train/run_directory.hpp"

#include <string_view>
#include <system_error>
#include <vector>

#include "vae_dist/core/error.hpp"

namespace vae_dist {

namespace {

constexpr std::string_view kConfigHeader = "# The resolved configuration of this run, written by vae_dist.\n";

}  // namespace

RunDirectory::RunDirectory(const std::string& directory)
    : path_(directory), checkpoints_(path_ / "checkpoints") {
    create_writable_folder(path_);
    require_own_folder();
    lock_.emplace(path_);
    create_writable_folder(checkpoints_);
    remove_temporaries(path_);
    remove_temporaries(checkpoints_);
}

std::optional<FoundCheckpoint> RunDirectory::newest_checkpoint(const Log& log) {
    auto found = newest_complete_checkpoint(checkpoints_, "move them away to start this run anew", log);
    if (found) {
        newest_complete_ = found->name;
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
        if (newest_complete_.empty()) throw_failure("{}; there is no complete checkpoint yet", error.what());
        throw_failure("{}; the newest complete checkpoint is {}", error.what(), newest_complete_);
    }
}

std::string RunDirectory::write_checkpoint(std::int64_t step, std::span<const std::byte> bytes,
                                           std::int64_t keep, const Log& log) {
    const std::filesystem::path path = checkpoints_ / checkpoint_name(step);
    write_or_name_newest([&] { write_file_atomically(path, bytes); });
    newest_complete_ = path.string();
    // A later one was passed over at the start, or it would be the one that the run goes on from.
    auto all = checkpoint_files(checkpoints_);
    std::erase_if(all, [&](const CheckpointFile& file) { return file.step > step; });
    for (std::size_t i = static_cast<std::size_t>(keep); i < all.size(); ++i) {
        std::error_code error;
        std::filesystem::remove(all[i].path, error);
        if (error) log.warn("cannot remove the old checkpoint {}: {}", all[i].path.string(), error.message());
    }
    return (checkpoints_.filename() / path.filename()).string();
}

void RunDirectory::write_best(std::span<const std::byte> bytes) {
    write_or_name_newest([&] { write_file_atomically(best_path(), bytes); });
}

void RunDirectory::write_config(const std::string& yaml) {
    write_or_name_newest([&] { write_file_atomically(config_path(), std::string(kConfigHeader) + yaml); });
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
