#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace vae_dist {

/// Puts a file in place whole or not at all: writes a temporary beside it, flushes file and folder to disk,
/// renames. Throws ErrorKind::failure naming the file and the system's reason; the temporary is then gone,
/// and under the name stands what was there before or, if only flushing the folder failed, all of the new
/// file.
void write_file_atomically(const std::filesystem::path& path, std::span<const std::byte> bytes);
void write_file_atomically(const std::filesystem::path& path, std::string_view text);

/// Flushes `temporary`, a complete file in the folder of `path`, to disk and gives it that name. Throws
/// ErrorKind::failure; the temporary is then left to the caller. Unless `replace`, false and nothing done
/// where there is a file of that name.
bool put_in_place(const std::filesystem::path& temporary, const std::filesystem::path& path,
                  bool replace = true);

/// Removes what an interrupted write_file_atomically left in `folder`.
void remove_temporaries(const std::filesystem::path& folder);

/// The whole of a text file; ErrorKind::failure if it cannot be read.
std::string read_text_file(const std::filesystem::path& path);

/// Creates a folder and its parents and shows that a file can be written there; else an input error.
void create_writable_folder(const std::filesystem::path& folder);

/// A text file that grows by whole lines, each handed to the operating system at once. Errors are
/// ErrorKind::failure naming the file.
class LineFile {
 public:
    /// Opens, or creates, for appending.
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

/// Holds a folder for this process while it lives, so that two runs do not write into one folder. File
/// systems without locks are let pass.
class FolderLock {
 public:
    /// Throws an input error if another process still holds it after `patience`: a killed run's ranks take a
    /// moment to end.
    explicit FolderLock(const std::filesystem::path& folder,
                        std::chrono::milliseconds patience = std::chrono::seconds(5));
    ~FolderLock();
    FolderLock(const FolderLock&) = delete;
    FolderLock& operator=(const FolderLock&) = delete;

 private:
    int descriptor_ = -1;
};

}  // namespace vae_dist
