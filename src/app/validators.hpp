#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>
#include <vector>

namespace vae_dist {

// Checks of options' values that say in words what is allowed, which the parser's own do not; the help shows
// none of it.

/// A whole number in a range.
CLI::Validator within(std::int64_t least, std::int64_t most);

/// One of some words.
CLI::Validator one_of(std::vector<std::string> words);

}  // namespace vae_dist
