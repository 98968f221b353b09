#pragma once

#include <sys/types.h>

#include <cstddef>
#include <optional>
#include <span>

namespace vae_dist {

/// Puts `replacement`, which is as long, in place of every copy of `pattern` in the writable memory of a
/// running process, as a fault of its memory could. How many there were; none where this process may not.
std::optional<int> replace_in_memory(pid_t process, std::span<const std::byte> pattern,
                                     std::span<const std::byte> replacement);

}  // namespace vae_dist
