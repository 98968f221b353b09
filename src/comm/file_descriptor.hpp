#pragma once

#include <utility>

namespace vae_dist {

/// A file descriptor that is closed when destroyed. Move-only.
class FileDescriptor {
 public:
    FileDescriptor() = default;
    explicit FileDescriptor(int descriptor) : descriptor_(descriptor) {}
    ~FileDescriptor() { close(); }
    FileDescriptor(FileDescriptor&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
    FileDescriptor& operator=(FileDescriptor&& other) noexcept {
        std::swap(descriptor_, other.descriptor_);
        return *this;
    }

    /// The number; -1 for none, which `poll` ignores.
    int descriptor() const { return descriptor_; }
    explicit operator bool() const { return descriptor_ >= 0; }
    void close() noexcept;

 private:
    int descriptor_ = -1;
};

}  // namespace vae_dist
