#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>

namespace vae_dist {

/// A file that gets its name only when it is complete: it is written under another name beside the target, so
/// that a failed or killed program leaves no incomplete file under the target's name. One process at a time
/// has the file, by a lock. The next process takes over the file of a killed one, whose lock has ended with
/// it.
class PendingFile {
 public:
    /// Creates the file, empty or as a killed process left it. `target` is the name from the user, whose
    /// symbolic links are followed; `replace`: also where the target exists. Throws an input error if the
    /// target's folder is missing or not writable, the target is a folder itself, or another process is
    /// writing it; else ErrorKind::failure.
    explicit PendingFile(const std::string& target, bool replace = true);
    /// Removes the file, unless `commit` has renamed it, or has failed because the target exists.
    ~PendingFile();
    PendingFile(const PendingFile&) = delete;
    PendingFile& operator=(const PendingFile&) = delete;

    /// The file to write to; it must be complete and closed before `commit`.
    const std::filesystem::path& path() const { return path_; }
    /// The file that `commit` makes or replaces, with symbolic links followed.
    const std::filesystem::path& target() const { return target_; }

    /// Replaces the file's contents with `bytes`. Throws ErrorKind::failure.
    void write(std::span<const std::byte> bytes);

    /// Flushes to disk and gives the file its name. Throws ErrorKind::failure; and an input error, which
    /// names the place of the result, where a file that may not be replaced has appeared under the target's
    /// name.
    void commit();

 private:
    /// Whether this process now has the lock of the file at path_.
    bool open_and_lock(const std::string& target);

    std::filesystem::path target_;
    std::filesystem::path path_;
    bool replace_;
    int descriptor_ = -1;
    bool keeps_file_ = false;
};

}  // namespace vae_dist
