// A slow disk for whichever program it is preloaded into (LD_PRELOAD): below the folder SLOW_DISK_FOLDER (an
// absolute path) every flush, and the middle of every write of more than a page, takes SLOW_DISK_MS
// milliseconds longer.

#include <dlfcn.h>
#include <limits.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

template <class Function>
Function original(const char* name) {
    return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}

bool is_slow(int descriptor) {
    const char* const folder = std::getenv("SLOW_DISK_FOLDER");
    if (folder == nullptr) return false;
    std::array<char, PATH_MAX> path{};
    const std::string link = "/proc/self/fd/" + std::to_string(descriptor);
    const ssize_t length = readlink(link.c_str(), path.data(), path.size());
    return length > 0 && std::string_view(path.data(), static_cast<std::size_t>(length)).starts_with(folder);
}

void wait() {
    const char* const milliseconds = std::getenv("SLOW_DISK_MS");
    const long count = milliseconds == nullptr ? 0 : std::atol(milliseconds);
    timespec left = {count / 1000, count % 1000 * 1'000'000};
    while (nanosleep(&left, &left) != 0 && errno == EINTR) {
    }
}

}  // namespace

extern "C" {

ssize_t write(int descriptor, const void* bytes, size_t count) {
    static const auto really_write = original<ssize_t (*)(int, const void*, size_t)>("write");
    constexpr size_t kPage = 4096;
    if (count <= kPage || !is_slow(descriptor)) return really_write(descriptor, bytes, count);
    const ssize_t first = really_write(descriptor, bytes, count / 2);
    if (first < 0) return first;
    wait();
    const auto done = static_cast<size_t>(first);
    const ssize_t rest = really_write(descriptor, static_cast<const char*>(bytes) + done, count - done);
    return rest < 0 ? first : first + rest;
}

int fsync(int descriptor) {
    static const auto really_fsync = original<int (*)(int)>("fsync");
    if (is_slow(descriptor)) wait();
    return really_fsync(descriptor);
}

}  // extern "C"
