#include "vae_dist/core/program.hpp"

#include <fmt/format.h>
#include <sched.h>
#include <zlib.h>

#include <algorithm>
#include <fstream>
#include <thread>
#include <vector>

namespace vae_dist {

namespace {

std::optional<std::uint32_t> executable_checksum() {
    std::ifstream executable("/proc/self/exe", std::ios::binary);
    std::vector<char> piece(1 << 20);
    uLong sum = crc32_z(0, nullptr, 0);
    while (executable) {
        executable.read(piece.data(), static_cast<std::streamsize>(piece.size()));
        sum = crc32_z(sum, reinterpret_cast<const unsigned char*>(piece.data()),
                      static_cast<std::size_t>(executable.gcount()));
    }
    if (!executable.is_open() || executable.bad() || !executable.eof()) return std::nullopt;
    return static_cast<std::uint32_t>(sum);
}

}  // namespace

ProgramBuild this_program() {
    return {VAE_DIST_VERSION, executable_checksum()};
}

std::string to_text(const ProgramBuild& build) {
    return build.checksum ? fmt::format("{}, {:08x}", build.version, *build.checksum) : build.version;
}

int usable_cores() {
    cpu_set_t cores;  // has room for 1024, fails where the system has more
    if (sched_getaffinity(0, sizeof cores, &cores) == 0) return std::max(1, CPU_COUNT(&cores));
    return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

}  // namespace vae_dist
