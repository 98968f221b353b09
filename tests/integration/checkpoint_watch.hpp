#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

namespace vae_dist {

/// Reads a run's newest checkpoint over and over, as a user could at any moment, from a thread of its own.
class CheckpointWatch {
 public:
    explicit CheckpointWatch(const std::filesystem::path& run);

    /// Ends the watch. What was wrong: moments, after the first checkpoint, with none that could be loaded,
    /// and files under a checkpoint's name that were damaged.
    std::vector<std::string> finish();
    /// How often a checkpoint was loaded.
    std::int64_t loads() const { return loads_; }

 private:
    void look();
    void note(const std::string& fault);

    std::filesystem::path checkpoints_;
    std::int64_t loads_ = 0;
    std::vector<std::string> faults_;
    std::jthread thread_;  ///< last, so that it ends first
};

}  // namespace vae_dist
