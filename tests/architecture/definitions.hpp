#pragma once

#include <string>
#include <vector>

namespace vae_dist::test {

/// Where a type is defined: in a namespace with a name or in none, so that the linker may take it for a type
/// of another file; or in an anonymous namespace, which belongs to one file.
enum class TypeScope { program, file };

/// The classes, structs, unions and enums that C++ text defines in such a scope. Names are full, without the
/// anonymous namespace: "vae_dist::BatchLoader". What is in a class or in a function is left out. Throws
/// std::runtime_error where brackets do not match.
std::vector<std::string> types_defined_in(const std::string& text, TypeScope scope = TypeScope::program);

}  // namespace vae_dist::test
