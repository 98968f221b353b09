#include "vae_dist/core/pending_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>

#include "vae_dist/core/error.hpp"
#include "vae_dist/core/files.hpp"

namespace vae_dist {

PendingFile::PendingFile(const std::string& target, bool replace) : replace_(replace) {
    std::error_code error;
    // Symbolic links are followed: a rename would replace the link itself.
    target_ = std::filesystem::weakly_canonical(target, error);
    if (error) throw_input_error("cannot write '{}': {}", target, error.message());
    if (std::filesystem::is_directory(target_, error)) {
        throw_input_error("cannot write '{}': it is a folder", target);
    }
    path_ = target_.parent_path() / fmt::format(".{}.pending", target_.filename().string());
    while (!open_and_lock(target)) {
    }
}

bool PendingFile::open_and_lock(const std::string& target) {
    descriptor_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (descriptor_ < 0) {
        const bool wrong_place = errno == ENOENT || errno == ENOTDIR || errno == EACCES || errno == EROFS;
        throw Error(wrong_place ? ErrorKind::input : ErrorKind::failure,
                    fmt::format("cannot write '{}': {}", target, std::strerror(errno)));
    }
    struct stat held {};
    struct stat there {};
    const bool known = ::fstat(descriptor_, &held) == 0;
    // Any error but a lock of another process means that this file system has no locks.
    if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0 && (errno == EWOULDBLOCK || held.st_size > 0)) {
        ::close(descriptor_);
        throw_input_error(
            "another process is writing '{}'; wait until it has ended or, if there is none, remove '{}'",
            target, path_.string());
    }
    // Another process may have ended in between: the file then has another name, or none.
    if (known && ::stat(path_.c_str(), &there) == 0 && held.st_dev == there.st_dev &&
        held.st_ino == there.st_ino) {
        return true;
    }
    ::close(descriptor_);
    return false;
}

PendingFile::~PendingFile() {
    if (!keeps_file_) ::unlink(path_.c_str());  // before the lock is released
    ::close(descriptor_);
}

void PendingFile::write(std::span<const std::byte> bytes) {
    // Into the locked file: a new file in its place would not be locked.
    bool written = ::ftruncate(descriptor_, 0) == 0;
    for (off_t at = 0; written && !bytes.empty();) {
        const ssize_t count = ::pwrite(descriptor_, bytes.data(), bytes.size(), at);
        if (count < 0 && errno == EINTR) continue;
        written = count >= 0;
        if (!written) break;
        bytes = bytes.subspan(static_cast<std::size_t>(count));
        at += count;
    }
    if (!written) throw_failure("cannot write '{}': {}", target_.string(), std::strerror(errno));
}

void PendingFile::commit() {
    keeps_file_ = put_in_place(path_, target_, replace_);
    if (keeps_file_) return;
    keeps_file_ = true;
    throw_input_error("'{}' has appeared in the meantime, and is left as it is; the result is in '{}'",
                      target_.string(), path_.string());
}

}  // namespace vae_dist
