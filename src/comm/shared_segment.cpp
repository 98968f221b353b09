#include "comm/shared_segment.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>

#include "vae_dist/core/error.hpp"
#include "vae_dist/core/text.hpp"

namespace vae_dist {

namespace {

constexpr const char* kName = "vae_dist";
constexpr std::size_t kHugePage = std::size_t{2} << 20;

// Advice of Linux 5.14 and 6.1, which the system's headers may not have yet.
constexpr int kPopulateRead = 22;
constexpr int kPopulateWrite = 23;
constexpr int kCollapse = 25;

std::size_t page_size() {
    return static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

constexpr std::size_t round_up(std::size_t bytes, std::size_t unit) {
    return (bytes + unit - 1) / unit * unit;
}

/// The lengths of a segment's parts: its array, on whole pages, then a page with the token.
struct Layout {
    explicit Layout(std::size_t bytes)
        : unit(bytes >= kHugePage ? kHugePage : page_size()),
          array(round_up(bytes, unit)),
          whole(array + page_size()) {}
    std::size_t unit;
    std::size_t array;
    std::size_t whole;
};

/// Maps pages, of a file or anonymous, at a multiple of the layout's unit. More addresses than that are
/// reserved first; the rest is given back.
MappedMemory map(const Layout& layout, int protection, int flags, int file) {
    const std::size_t reserved_bytes = layout.whole + layout.unit;
    void* reserved =
        ::mmap(nullptr, reserved_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (reserved == MAP_FAILED) throw_failure("{}", std::strerror(errno));
    auto* const first = static_cast<std::byte*>(reserved);
    const auto address = reinterpret_cast<std::uintptr_t>(first);
    std::byte* const begin = first + (round_up(address, layout.unit) - address);
    std::byte* const end = begin + layout.whole;
    if (begin > first) ::munmap(first, static_cast<std::size_t>(begin - first));
    ::munmap(end, static_cast<std::size_t>(first + reserved_bytes - end));

    MappedMemory memory(std::span(begin, layout.whole));
    if (::mmap(begin, layout.whole, protection, flags | MAP_FIXED, file, 0) == MAP_FAILED)
        throw_failure("{}", std::strerror(errno));
    return memory;
}

// Only advice: where the system ignores or refuses it, only speed is lost. Pages that are not allocated yet
// become huge pages where the system allows it; allocated ones are merged.
void make_pages_large(std::span<std::byte> pages) {
    ::madvise(pages.data(), pages.size(), MADV_HUGEPAGE);
    ::madvise(pages.data(), pages.size(), kPopulateWrite);
    ::madvise(pages.data(), pages.size(), kCollapse);
}

/// Allocates every page, so that no later access can end the process.
void reserve(const FileDescriptor& file, const MappedMemory& memory, const Layout& layout) {
    if (layout.unit == kHugePage) make_pages_large(memory.bytes().first(layout.array));
    int status = 0;
    do {
        status = ::fallocate(file.descriptor(), 0, 0, static_cast<off_t>(layout.whole));
    } while (status != 0 && errno == EINTR);
    if (status != 0) throw_failure("{}", std::strerror(errno));
}

std::string path_of(const SegmentAddress& address) {
    return fmt::format("/proc/{}/fd/{}", address.process, address.descriptor);
}

/// The number may mean another process here, and another file of it, on which opening may have an effect.
void expect_segment(const std::string& path) {
    std::array<char, 256> target{};
    const ssize_t length = ::readlink(path.c_str(), target.data(), target.size());
    if (length < 0) throw_failure("{}: {}", path, std::strerror(errno));
    const std::string_view name(target.data(), static_cast<std::size_t>(length));
    if (name.find(fmt::format("memfd:{}", kName)) == std::string_view::npos) {
        throw_failure("{}: not the memory that it should be (processes may have numbers of their own here)",
                      path);
    }
}

}  // namespace

SharedSegment::SharedSegment(std::size_t bytes)
    : bytes_(bytes), token_(random_token()), file_(::memfd_create(kName, MFD_CLOEXEC)) {
    const Layout layout(bytes);
    try {
        if (!file_ || ::ftruncate(file_.descriptor(), static_cast<off_t>(layout.whole)) != 0) {
            throw_failure("{}", std::strerror(errno));
        }
        memory_ = map(layout, PROT_READ | PROT_WRITE, MAP_SHARED, file_.descriptor());
        reserve(file_, memory_, layout);
    } catch (const Error& error) {
        throw_failure(
            "cannot get {} of memory to share with the other ranks of this machine: {}; give the job more "
            "memory or "
            "each machine fewer ranks",
            format_bytes(bytes), error.what());
    }
    std::copy(token_.begin(), token_.end(), memory_.bytes().data() + layout.array);
}

SegmentAddress SharedSegment::address() const {
    return {::getpid(), file_.descriptor(), bytes_, token_};
}

MappedMemory private_memory(std::size_t bytes) {
    const Layout layout(bytes);
    try {
        MappedMemory memory = map(layout, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
        if (layout.unit == kHugePage) make_pages_large(memory.bytes().first(layout.array));
        return memory;
    } catch (const Error& error) {
        throw_failure("cannot get {} of memory: {}; give the job more memory", format_bytes(bytes),
                      error.what());
    }
}

MappedMemory map_segment(const SegmentAddress& address) {
    const Layout layout(address.bytes);
    const std::string path = path_of(address);
    expect_segment(path);
    const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    struct stat status {};
    if (!file || ::fstat(file.descriptor(), &status) != 0)
        throw_failure("{}: {}", path, std::strerror(errno));
    if (static_cast<std::uint64_t>(status.st_size) != layout.whole) {
        throw_failure("{}: the memory of another process", path);
    }
    MappedMemory memory = map(layout, PROT_READ, MAP_SHARED, file.descriptor());
    const auto token = memory.bytes().subspan(layout.array, address.token.size());
    if (!std::equal(token.begin(), token.end(), address.token.begin())) {
        throw_failure("{}: the memory of another process", path);
    }
    // Advice, too: the first step is then as fast as the others.
    ::madvise(memory.bytes().data(), memory.bytes().size(), kPopulateRead);
    return memory;
}

}  // namespace vae_dist
