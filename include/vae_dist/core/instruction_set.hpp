#pragma once

#include <string>

namespace vae_dist {

/// The instruction set of this build: "x86-64-v4 avx512vnni avx512bf16", "x86-64-v3". Results of two builds
/// with different instruction sets may differ in their last bits. The processor has all of them: otherwise
/// the program ends at its start, with a message (see src/core/instruction_set_guard.cpp).
std::string instruction_set();

}  // namespace vae_dist
