#include "integration/process_memory.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>
#include <vector>

namespace vae_dist {

namespace {

struct Region {
    std::uint64_t begin;
    std::uint64_t end;
};

// Lines of "55e0a000-55e0b000 rw-p ...".
std::vector<Region> writable_memory(pid_t process) {
    std::ifstream maps(fmt::format("/proc/{}/maps", process));
    std::vector<Region> regions;
    for (std::string line; std::getline(maps, line);) {
        std::istringstream fields(line);
        Region region{};
        char dash = 0;
        std::string rights;
        fields >> std::hex >> region.begin >> dash >> region.end >> rights;
        // What is larger is reserved rather than used.
        constexpr std::uint64_t kLargest = std::uint64_t{1} << 30;
        if (rights.starts_with("rw") && region.end - region.begin <= kLargest) regions.push_back(region);
    }
    return regions;
}

}  // namespace

std::optional<int> replace_in_memory(pid_t process, std::span<const std::byte> pattern,
                                     std::span<const std::byte> replacement) {
    const int memory = open(fmt::format("/proc/{}/mem", process).c_str(), O_RDWR | O_CLOEXEC);
    if (memory < 0) return std::nullopt;
    int found = 0;
    for (const Region& region : writable_memory(process)) {
        std::vector<std::byte> bytes(region.end - region.begin);
        const ssize_t read = pread(memory, bytes.data(), bytes.size(), static_cast<off_t>(region.begin));
        bytes.resize(static_cast<std::size_t>(std::max<ssize_t>(read, 0)));
        const std::boyer_moore_horspool_searcher searcher(pattern.begin(), pattern.end());
        for (auto at = bytes.begin(); (at = std::search(at, bytes.end(), searcher)) != bytes.end(); ++at) {
            const auto where = static_cast<off_t>(region.begin) + (at - bytes.begin());
            found += pwrite(memory, replacement.data(), replacement.size(), where) ==
                     static_cast<ssize_t>(replacement.size());
        }
    }
    close(memory);
    return found;
}

}  // namespace vae_dist
