#pragma once

#include <string>

namespace vae_dist {

/// The instruction set that this program was compiled for, in short: "x86-64-v4 avx512vnni avx512bf16";
/// "x86-64-v3". Two builds that differ in it may differ in the last bits of their results. The processor has
/// all of it, or the program would have stopped at its start with a message (see
/// src/core/instruction_set_guard.cpp).
std::string instruction_set();

}  // namespace vae_dist
