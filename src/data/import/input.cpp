#include "data/import/input.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "vae_dist/core/error.hpp"
#include "vae_dist/core/text.hpp"

namespace vae_dist {

ImportInput::ImportInput(const std::string& path) : path_(path), file_(nullptr, gzclose) {
    if (std::filesystem::is_directory(path)) throw_input_error("cannot read '{}': it is a folder", path);
    errno = 0;
    file_.reset(gzopen(path.c_str(), "rb"));
    if (!file_) throw_input_error("cannot open '{}': {}", path, std::strerror(errno == 0 ? ENOMEM : errno));
    constexpr unsigned kBufferBytes = 1U << 20;
    gzbuffer(file_.get(), kBufferBytes);
}

std::string ImportInput::name() const {
    return std::filesystem::path(path_).filename().string();
}

std::size_t ImportInput::read(std::span<std::byte> to) {
    std::size_t filled = 0;
    while (filled < to.size()) {
        constexpr std::size_t kMostAtOnce = std::size_t{1} << 30;  // zlib counts in 32 bits
        const auto wanted = static_cast<unsigned>(std::min(to.size() - filled, kMostAtOnce));
        const int count = gzread(file_.get(), to.data() + filled, wanted);
        filled += static_cast<std::size_t>(std::max(count, 0));
        if (count == static_cast<int>(wanted)) continue;
        int status = Z_OK;
        const char* const message = gzerror(file_.get(), &status);
        if (status == Z_BUF_ERROR) throw_input_error("'{}' is truncated: its gzip stream has no end", path_);
        if (count < 0 || (status != Z_OK && status != Z_STREAM_END)) {
            throw_input_error("cannot read '{}': {}", path_,
                              status == Z_ERRNO ? std::strerror(errno) : message);
        }
        break;
    }
    position_ += static_cast<std::int64_t>(filled);
    return filled;
}

void ImportInput::read_exactly(std::span<std::byte> to, std::int64_t expected) {
    if (read(to) == to.size()) return;
    throw_input_error("'{}' is truncated: it has {}, but should have {}", path_, counted(position_, "byte"),
                      format_count(expected));
}

void ImportInput::require_end() {
    std::byte one[1];
    const std::int64_t end = position_;
    if (read(one) > 0)
        throw_input_error("'{}' goes on after the {} that its header announces", path_, counted(end, "byte"));
}

}  // namespace vae_dist
