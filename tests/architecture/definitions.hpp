#pragma once

#include <string>
#include <vector>

namespace vae_dist::test {

/// The classes, structs, unions and enums that C++ text defines where the linker may take them for those of
/// another file: in a namespace with a name, or in none. Names are full: "vae_dist::BatchLoader". What is in
/// an anonymous namespace, in a class or in a function is left out. Throws std::runtime_error where brackets
/// do not match.
std::vector<std::string> types_defined_in(const std::string& text);

}  // namespace vae_dist::test
