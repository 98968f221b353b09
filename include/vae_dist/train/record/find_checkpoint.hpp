#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "vae_dist/core/log.hpp"

namespace vae_dist {

/// The name of a step's checkpoint: "step_0000001234.h5".
std::string checkpoint_name(std::int64_t step);

/// A file whose name says that it is a step's checkpoint.
struct CheckpointFile {
    std::int64_t step;
    std::filesystem::path path;
};

/// Those of a run's checkpoints/, newest first.
std::vector<CheckpointFile> checkpoint_files(const std::filesystem::path& folder);

/// All bytes of a file; an input error if it cannot be read.
std::vector<std::byte> read_bytes(const std::filesystem::path& path);

struct FoundCheckpoint {
    std::string name;
    std::vector<std::byte> bytes;
};

/// The bytes of the newest checkpoint in a run's checkpoints/ that can be read whole; a damaged or foreign
/// one is passed over with a warning, and then a warning says that an older one is taken. Only reads, and may
/// do so while a run is writing there. None where there is none; an input error that ends with `advice` where
/// none of those there can be read.
std::optional<FoundCheckpoint> newest_complete_checkpoint(const std::filesystem::path& folder,
                                                          const std::string& advice, const Log& log);

/// The bytes of a checkpoint that the user named: a file, or a run's directory, of
/// which the newest complete checkpoint is meant. Only reads. Throws an input error that tells apart: nothing
/// of that name, a folder that is not a run's, a run without a complete checkpoint, a file that cannot be
/// read.
FoundCheckpoint find_checkpoint(const std::string& path, const Log& log);

}  // namespace vae_dist
