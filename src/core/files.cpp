#include "vae_dist/core/files.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <sstream>
#include <thread>
#include <utility>

#include "vae_dist/core/error.hpp"

namespace vae_dist {

namespace {

constexpr const char* kTemporarySuffix = ".vae_dist-tmp";

std::string system_reason() {
    return std::strerror(errno);
}

class Descriptor {
 public:
    explicit Descriptor(int descriptor) : descriptor_(descriptor) {}
    ~Descriptor() {
        if (descriptor_ >= 0) ::close(descriptor_);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    int get() const { return descriptor_; }
    bool close() {
        const int descriptor = std::exchange(descriptor_, -1);
        return ::close(descriptor) == 0;
    }

 private:
    int descriptor_;
};

bool write_all(int descriptor, std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
        const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return false;
        bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
    return true;
}

bool flush_folder(const std::filesystem::path& folder) {
    const Descriptor descriptor(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    // Some network file systems cannot flush a folder (EINVAL); on those the rename alone has to do.
    return descriptor.get() >= 0 && (::fsync(descriptor.get()) == 0 || errno == EINVAL);
}

bool write_temporary(const std::filesystem::path& temporary, std::span<const std::byte> bytes) {
    Descriptor descriptor(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
    return descriptor.get() >= 0 && write_all(descriptor.get(), bytes) && ::fsync(descriptor.get()) == 0 &&
           descriptor.close();
}

// False with EEXIST where the name is taken. Where a file system cannot check and rename in one call, two
// calls do it.
bool rename_to_free_name(const std::filesystem::path& from, const std::filesystem::path& to) {
    if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return true;
    if (errno != EINVAL && errno != ENOSYS) return false;
    if (::access(to.c_str(), F_OK) == 0) {
        errno = EEXIST;
        return false;
    }
    return ::rename(from.c_str(), to.c_str()) == 0;
}

std::filesystem::path folder_of(const std::filesystem::path& path) {
    return path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
}

}  // namespace

void write_file_atomically(const std::filesystem::path& path, std::span<const std::byte> bytes) {
    const std::filesystem::path temporary = path.string() + kTemporarySuffix;
    if (!write_temporary(temporary, bytes) || ::rename(temporary.c_str(), path.c_str()) != 0 ||
        !flush_folder(folder_of(path))) {
        const std::string reason = system_reason();
        ::unlink(temporary.c_str());
        throw_failure("cannot write {}: {}", path.string(), reason);
    }
}

void write_file_atomically(const std::filesystem::path& path, std::string_view text) {
    write_file_atomically(path, std::as_bytes(std::span(text)));
}

bool put_in_place(const std::filesystem::path& temporary, const std::filesystem::path& path, bool replace) {
    const Descriptor descriptor(::open(temporary.c_str(), O_RDONLY | O_CLOEXEC));
    if (descriptor.get() < 0 || ::fsync(descriptor.get()) != 0) {
        throw_failure("cannot write {}: {}", path.string(), system_reason());
    }
    if (!(replace ? ::rename(temporary.c_str(), path.c_str()) == 0 : rename_to_free_name(temporary, path))) {
        if (!replace && errno == EEXIST) return false;
        throw_failure("cannot write {}: {}", path.string(), system_reason());
    }
    if (!flush_folder(folder_of(path))) {
        throw_failure("cannot write {}: {}", path.string(), system_reason());
    }
    return true;
}

void remove_temporaries(const std::filesystem::path& folder) {
    std::error_code missing;
    for (const auto& entry : std::filesystem::directory_iterator(folder, missing)) {
        if (entry.path().string().ends_with(kTemporarySuffix)) std::filesystem::remove(entry.path());
    }
}

std::string read_text_file(const std::filesystem::path& path) {
    std::ifstream stream(path, std::ios::binary);
    std::ostringstream text;
    if (!stream || !(text << stream.rdbuf() || stream.peek() == EOF)) {
        throw_failure("cannot read {}: {}", path.string(), system_reason());
    }
    return std::move(text).str();
}

void create_writable_folder(const std::filesystem::path& folder) {
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    if (error) throw_input_error("cannot create the folder {}: {}", folder.string(), error.message());
    const std::filesystem::path trial = folder / (std::string(".trial") + kTemporarySuffix);
    const Descriptor descriptor(::open(trial.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666));
    if (descriptor.get() < 0) {
        throw_input_error("cannot write into the folder {}: {}", folder.string(), system_reason());
    }
    ::unlink(trial.c_str());
}

LineFile::LineFile(const std::filesystem::path& path)
    : path_(path), descriptor_(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666)) {
    if (descriptor_ < 0) throw_failure("cannot open {}: {}", path_.string(), system_reason());
}

LineFile::~LineFile() {
    ::close(descriptor_);
}

void LineFile::append(const std::string& line) {
    const std::string text = line + "\n";
    if (!write_all(descriptor_, std::as_bytes(std::span(text)))) {
        throw_failure("cannot write to {}: {}", path_.string(), system_reason());
    }
}

void LineFile::flush_to_disk() {
    if (::fsync(descriptor_) != 0) {
        throw_failure("cannot flush {} to disk: {}", path_.string(), system_reason());
    }
}

FolderLock::FolderLock(const std::filesystem::path& folder, std::chrono::milliseconds timeout) {
    const std::filesystem::path lock = folder / ".lock";
    descriptor_ = ::open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (descriptor_ < 0) throw_input_error("cannot open {}: {}", lock.string(), system_reason());
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    while (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
        // Any other error means that this file system has no locks.
        if (errno != EWOULDBLOCK && errno != EINTR) return;
        if (std::chrono::steady_clock::now() >= deadline) {
            ::close(descriptor_);
            throw_input_error(
                "another run of vae_dist is writing into {}; wait for it, or choose another "
                "output.directory",
                folder.string());
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
}

FolderLock::~FolderLock() {
    ::close(descriptor_);
}

}  // namespace vae_dist
