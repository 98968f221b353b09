#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "vae_dist/core/files.hpp"
#include "vae_dist/core/log.hpp"
#include "vae_dist/train/checkpoint.hpp"

namespace vae_dist {

/// The files of a run: config.yaml, metrics.jsonl, checkpoints/step_0000001234.h5, best.h5. Rank 0 alone has
/// one; it is held by a lock while the object lives.
class RunDirectory {
 public:
    /// Creates the folders. Throws an input error if they cannot be written or another run is using them.
    explicit RunDirectory(const std::string& directory);

    const std::filesystem::path& path() const { return path_; }
    std::filesystem::path metrics_path() const { return path_ / "metrics.jsonl"; }

    /// The bytes of the newest checkpoint that can be read whole; a damaged or foreign one is passed over
    /// with a warning. None if there is no checkpoint. Throws an input error if there are some and none can
    /// be read: starting anew would throw a run away.
    struct Found {
        std::string name;
        std::vector<std::byte> bytes;
    };
    std::optional<Found> newest_checkpoint(const Log& log) const;

    /// Writes the checkpoint of a step, then removes the oldest beyond `keep`, damaged ones of later steps
    /// not counted. On failure throws ErrorKind::failure naming the newest complete checkpoint that remains.
    /// Returns its path relative to the run's directory.
    std::string write_checkpoint(std::int64_t step, std::span<const std::byte> bytes, std::int64_t keep);
    void write_best(std::span<const std::byte> bytes);
    void write_config(const std::string& yaml);

 private:
    /// Newest first.
    std::vector<std::filesystem::path> checkpoints() const;
    void write_or_name_newest(const std::filesystem::path& to, std::span<const std::byte> bytes);

    std::filesystem::path path_;
    std::filesystem::path checkpoints_;
    std::optional<FolderLock> lock_;
};

/// The name of a step's checkpoint: "step_0000001234.h5".
std::string checkpoint_name(std::int64_t step);

/// All bytes of a file; an input error if it cannot be read.
std::vector<std::byte> read_bytes(const std::filesystem::path& path);

}  // namespace vae_dist
