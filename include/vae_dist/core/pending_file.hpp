#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>

namespace vae_dist {

/// A file on its way to its name: written under another, beside its target, and given the target's name only
/// when it is complete, so that a failed or killed program leaves nothing half-written where somebody looks
/// for a file. One process at a time holds it, by a lock; what a killed one left, whose lock went with it, is
/// taken over.
class PendingFile {
 public:
    /// Creates the file, empty or as a killed process left it. `target` in the user's words; through symbolic
    /// links it is the file that they lead to; `replace`: also where there is one already. Throws an input
    /// error if its folder is missing or may not be written to, it is a folder itself, or another process is
    /// writing this target; else ErrorKind::failure.
    explicit PendingFile(const std::string& target, bool replace = true);
    /// Removes the file, unless it is under its name, or only its name was taken.
    ~PendingFile();
    PendingFile(const PendingFile&) = delete;
    PendingFile& operator=(const PendingFile&) = delete;

    /// Where to write; whoever writes there is done, and has closed it, before `commit`.
    const std::filesystem::path& path() const { return path_; }
    /// The file that `commit` makes or replaces, with symbolic links followed.
    const std::filesystem::path& target() const { return target_; }

    /// Makes these bytes the file's whole contents. Throws ErrorKind::failure.
    void write(std::span<const std::byte> bytes);

    /// Flushes to disk and gives the file its name. Throws ErrorKind::failure; and an input error where a
    /// file that may not be replaced has appeared under the name, which says where the result then is.
    void commit();

 private:
    /// True if this process now holds the file that is at path_.
    bool open_and_lock(const std::string& target);

    std::filesystem::path target_;
    std::filesystem::path path_;
    bool replace_;
    int descriptor_ = -1;
    bool keeps_file_ = false;
};

}  // namespace vae_dist
