#pragma once

#include <filesystem>
#include <string>

namespace vae_dist {

/// A file on its way to its name: written under another, beside its target, and given the target's name only
/// when it is complete, so that a failed or killed program leaves nothing half-written where somebody looks
/// for a file. One process at a time holds it, by a lock; what a killed one left, whose lock went with it, is
/// taken over.
class PendingFile {
 public:
    /// Creates the file, empty or as a killed process left it. `target` in the user's words; through symbolic
    /// links it is the file that they lead to. Throws ErrorKind::failure if its folder cannot be written, and
    /// an input error if it is a folder itself, or another process is writing this target.
    explicit PendingFile(const std::string& target);
    /// Removes the file, unless it was committed.
    ~PendingFile();
    PendingFile(const PendingFile&) = delete;
    PendingFile& operator=(const PendingFile&) = delete;

    /// Where to write; whoever writes there is done, and has closed it, before `commit`.
    const std::filesystem::path& path() const { return path_; }
    /// The file that `commit` makes or replaces, with symbolic links followed.
    const std::filesystem::path& target() const { return target_; }

    /// Flushes to disk and gives the file its name. Throws ErrorKind::failure.
    void commit();

 private:
    /// True if this process now holds the file that is at path_.
    bool open_and_lock(const std::string& target);

    std::filesystem::path target_;
    std::filesystem::path path_;
    int descriptor_ = -1;
    bool committed_ = false;
};

}  // namespace vae_dist
