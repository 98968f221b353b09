#include "integration/checkpoint_watch.hpp"

#include <chrono>
#include <exception>

#include "vae_dist/train/record/checkpoint.hpp"
#include "vae_dist/train/record/find_checkpoint.hpp"

namespace vae_dist {

CheckpointWatch::CheckpointWatch(const std::filesystem::path& run)
    : checkpoints_(run / "checkpoints"), thread_([this](const std::stop_token& stop) {
          while (!stop.stop_requested()) {
              if (std::filesystem::exists(checkpoints_)) look();
              std::this_thread::sleep_for(std::chrono::milliseconds(5));
          }
      }) {}

std::vector<std::string> CheckpointWatch::finish() {
    thread_.request_stop();
    if (thread_.joinable()) thread_.join();
    return faults_;
}

void CheckpointWatch::note(const std::string& fault) {
    constexpr std::size_t kMostFaults = 10;
    if (faults_.size() < kMostFaults) faults_.push_back(fault);
}

// A file may go between its being listed and read, where a newer one has come: then another look is due.
void CheckpointWatch::look() {
    constexpr int kMostLooks = 20;
    for (int looks = 0; looks < kMostLooks; ++looks) {
        const std::vector<CheckpointFile> files = checkpoint_files(checkpoints_);
        for (const CheckpointFile& file : files) {
            try {
                parse_checkpoint(read_bytes(file.path), file.path.string());
                ++loads_;
                return;
            } catch (const std::exception& error) {
                if (std::filesystem::exists(file.path)) note(error.what());
            }
        }
        if (files.empty() && loads_ == 0) return;
    }
    note("no checkpoint can be loaded from " + checkpoints_.string());
}

}  // namespace vae_dist
