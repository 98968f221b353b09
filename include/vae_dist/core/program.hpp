#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace vae_dist {

/// A build of the program.
struct ProgramBuild {
    std::string version;                    ///< "0.1.0"
    std::optional<std::uint32_t> checksum;  ///< CRC-32 of the executable; absent where it cannot be read
};

/// The build of this process.
ProgramBuild this_program();

/// "0.1.0, 1a2b3c4d"
std::string to_text(const ProgramBuild& build);

/// The number of cores that this process may run on, after binding; at least 1.
int usable_cores();

}  // namespace vae_dist
