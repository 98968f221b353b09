#pragma once

#include <fmt/format.h>

#include <string>
#include <utility>

#include "vae_dist/core/require.hpp"

namespace vae_dist {

/// Throws an `Error` that the user's input caused.
template <class... Args>
[[noreturn]] void throw_input_error(fmt::format_string<Args...> format, Args&&... args) {
    throw Error(ErrorKind::input, fmt::format(format, std::forward<Args>(args)...));
}

/// Throws an `Error` that the machine caused.
template <class... Args>
[[noreturn]] void throw_failure(fmt::format_string<Args...> format, Args&&... args) {
    throw Error(ErrorKind::failure, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace vae_dist
