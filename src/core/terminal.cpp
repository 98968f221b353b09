#include "vae_dist/core/terminal.hpp"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <string>

namespace vae_dist {

namespace {

std::string first_word(const std::string& path, const std::string& key) {
    std::ifstream status(path);
    for (std::string line; std::getline(status, line);) {
        if (line.starts_with(key)) return line.substr(line.find_first_not_of(" \t", key.size()));
    }
    return "";
}

bool is_terminal(const std::string& descriptor) {
    char target[256];
    const ssize_t length = ::readlink(descriptor.c_str(), target, sizeof(target));
    if (length <= 0) return false;
    const std::string name(target, static_cast<std::size_t>(length));
    return name.starts_with("/dev/pts/") || name.starts_with("/dev/tty");
}

// Looks for mpirun among the ancestors of this process, past wrappers; on other hosts there is only its
// daemon.
bool mpirun_writes_to_a_terminal() {
    constexpr std::array kNames = {"mpirun", "mpiexec", "orterun", "prterun"};
    std::string process = std::to_string(::getppid());
    for (int generation = 0; generation < 10 && !process.empty() && process != "0"; ++generation) {
        const std::string folder = "/proc/" + process;
        const std::string name = first_word(folder + "/status", "Name:");
        if (std::find(kNames.begin(), kNames.end(), name) != kNames.end())
            return is_terminal(folder + "/fd/1");
        process = first_word(folder + "/status", "PPid:");
    }
    return false;
}

}  // namespace

bool stdout_is_watched() {
    if (::isatty(STDOUT_FILENO) == 0) return false;
    return std::getenv("OMPI_COMM_WORLD_SIZE") == nullptr || mpirun_writes_to_a_terminal();
}

void open_missing_standard_streams() {
    // The system gives the lowest free number: a closed one of 0 to 2.
    for (int descriptor = 0; descriptor >= 0 && descriptor <= 2;) {
        descriptor = ::open("/dev/null", O_RDWR);
        if (descriptor > 2) ::close(descriptor);
    }
}

int terminal_columns() {
    winsize size{};
    const bool known = ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    return known ? size.ws_col : 80;
}

}  // namespace vae_dist
