#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace vae_dist {

/// Writes a whole file or nothing: writes a temporary file beside it, flushes file and folder to disk,
/// renames. Throws ErrorKind::failure naming the file and the system's reason. The temporary file is then
/// removed, and under the name is the earlier file or, if only the flush of the folder failed, all of the new
/// one.
void write_file_atomically(const std::filesystem::path& path, std::span<const std::byte> bytes);
void write_file_atomically(const std::filesystem::path& path, std::string_view text);

/// Flushes `temporary`, a complete file in the folder of `path`, to disk and renames it to `path`. Throws
/// ErrorKind::failure, and then does not remove `temporary`. Unless `replace`, returns false and does nothing
/// where a file of that name exists.
bool put_in_place(const std::filesystem::path& temporary, const std::filesystem::path& path,
                  bool replace = true);

/// Removes the temporary files of an interrupted write_file_atomically from `folder`.
void remove_temporaries(const std::filesystem::path& folder);

/// The text of a file; ErrorKind::failure if it cannot be read.
std::string read_text_file(const std::filesystem::path& path);

/// Creates a folder and its parents, and throws an input error if no file can be written there.
void create_writable_folder(const std::filesystem::path& folder);

/// A text file to which whole lines are appended, each written to the system immediately. Errors are
/// ErrorKind::failure naming the file.
class LineFile {
 public:
    /// Opens the file for appending, or creates it.
    explicit LineFile(const std::filesystem::path& path);
    ~LineFile();
    LineFile(const LineFile&) = delete;
    LineFile& operator=(const LineFile&) = delete;

    void append(const std::string& line);
    void flush_to_disk();

 private:
    std::filesystem::path path_;
    int descriptor_ = -1;
};

/// A lock on a folder, so that two runs do not write into one folder. It has no effect on file systems
/// without locks.
class FolderLock {
 public:
    /// Throws an input error if another process has the lock longer than `timeout`: the ranks of a killed run
    /// need a moment to end.
    explicit FolderLock(const std::filesystem::path& folder,
                        std::chrono::milliseconds timeout = std::chrono::seconds(5));
    ~FolderLock();
    FolderLock(const FolderLock&) = delete;
    FolderLock& operator=(const FolderLock&) = delete;

 private:
    int descriptor_ = -1;
};

}  // namespace vae_dist
