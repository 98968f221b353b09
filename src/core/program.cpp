#include "vae_dist/core/program.hpp"

#include <fmt/format.h>
#include <sched.h>

#include <algorithm>
#include <fstream>
#include <span>
#include <thread>
#include <vector>

#include "vae_dist/core/checksum.hpp"

namespace vae_dist {

namespace {

std::optional<std::uint32_t> executable_checksum() {
    std::ifstream executable("/proc/self/exe", std::ios::binary);
    std::vector<char> piece(1 << 20);
    std::uint32_t sum = 0;
    while (executable) {
        executable.read(piece.data(), static_cast<std::streamsize>(piece.size()));
        const auto read = std::span(piece).first(static_cast<std::size_t>(executable.gcount()));
        sum = crc32_of(std::as_bytes(read), sum);
    }
    if (!executable.is_open() || executable.bad() || !executable.eof()) return std::nullopt;
    return sum;
}

}  // namespace

ProgramBuild this_program() {
    return {VAE_DIST_VERSION, executable_checksum()};
}

std::string to_text(const ProgramBuild& build) {
    return build.checksum ? fmt::format("{}, {:08x}", build.version, *build.checksum) : build.version;
}

int usable_cores() {
    cpu_set_t cores;  // for 1024 cores; the call fails where the system has more
    if (sched_getaffinity(0, sizeof cores, &cores) == 0) return std::max(1, CPU_COUNT(&cores));
    return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

}  // namespace vae_dist
