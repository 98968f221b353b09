#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <string>

#include "vae_dist/core/files.hpp"
#include "vae_dist/core/log.hpp"
#include "vae_dist/train/record/checkpoint_schedule.hpp"
#include "vae_dist/train/record/find_checkpoint.hpp"

namespace vae_dist {

/// The files of a run: config.yaml, metrics.jsonl, checkpoints/step_0000001234.h5, best.h5. Rank 0 alone has
/// one; it is held by a lock while the object lives.
class RunDirectory {
 public:
    /// Creates the folders. Throws an input error if they cannot be written, another run is using them, or
    /// files that are not a run's would be replaced.
    explicit RunDirectory(const std::string& directory);

    const std::filesystem::path& path() const { return path_; }
    std::filesystem::path config_path() const { return path_ / "config.yaml"; }
    std::filesystem::path metrics_path() const { return path_ / "metrics.jsonl"; }
    std::filesystem::path best_path() const { return path_ / "best.h5"; }

    /// See newest_complete_checkpoint. None if there is no checkpoint. Throws an input error if there are
    /// some and none can be read, or a best.h5 alone: starting anew would throw a run away.
    std::optional<FoundCheckpoint> newest_checkpoint(const Log& log);

    /// Writes the checkpoint of a step, then removes those that it supersedes; where one cannot be removed a
    /// warning says so. Returns its path relative to the run's directory.
    std::string write_checkpoint(std::int64_t step, std::span<const std::byte> bytes,
                                 const CheckpointSchedule& schedule, const Log& log);
    void write_best(std::span<const std::byte> bytes);
    void write_config(const std::string& yaml);

    /// Does something that writes into the folder, on any thread; an exception becomes ErrorKind::failure
    /// that names the newest complete checkpoint besides. The functions above do so themselves.
    void write_or_name_newest(const std::function<void()>& write) const;

 private:
    void require_own_folder() const;
    void remove_superseded(std::int64_t newest, const CheckpointSchedule& schedule, const Log& log) const;
    void set_newest_complete(const std::string& name);
    [[noreturn]] void throw_naming_newest(const char* what) const;

    std::filesystem::path path_;
    std::filesystem::path checkpoints_;
    mutable std::mutex mutex_;
    std::string newest_complete_;  ///< as far as known; empty: none; guarded by the mutex
    std::optional<FolderLock> lock_;
};

}  // namespace vae_dist
