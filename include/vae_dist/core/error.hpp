#pragma once

#include <fmt/format.h>

#include <string>
#include <utility>

#include "vae_dist/core/require.hpp"

namespace vae_dist {

/// Throws an `Error` with the user's input as its cause.
template <class... Args>
[[noreturn]] void throw_input_error(fmt::format_string<Args...> format, Args&&... args) {
    throw Error(ErrorKind::input, fmt::format(format, std::forward<Args>(args)...));
}

/// Throws an `Error` with the machine as its cause.
template <class... Args>
[[noreturn]] void throw_failure(fmt::format_string<Args...> format, Args&&... args) {
    throw Error(ErrorKind::failure, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace vae_dist
