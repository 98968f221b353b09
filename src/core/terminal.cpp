#include "vae_dist/core/terminal.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

namespace vae_dist {

namespace {

bool parent_stdout_is_terminal() {
    const std::string path = "/proc/" + std::to_string(::getppid()) + "/fd/1";
    char target[256];
    const ssize_t length = ::readlink(path.c_str(), target, sizeof(target));
    if (length <= 0) return false;
    const std::string name(target, static_cast<std::size_t>(length));
    return name.starts_with("/dev/pts/") || name.starts_with("/dev/tty");
}

}  // namespace

bool stdout_is_watched() {
    if (::isatty(STDOUT_FILENO) == 0) return false;
    return std::getenv("OMPI_COMM_WORLD_SIZE") == nullptr || parent_stdout_is_terminal();
}

}  // namespace vae_dist
