#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

// A target of the fuzzers: tries one input, and has to come back from every one. Ended by abort() where
// vae_dist would be wrong.

/// libFuzzer's name for it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace vae_dist::fuzz {

using Bytes = std::vector<std::uint8_t>;

/// What a target begins with: valid inputs that between them use all of the format. Each target defines it.
std::vector<Bytes> seeds();

Bytes bytes_of(const std::string& text);
Bytes bytes_of(std::span<const std::byte> bytes);
std::string text_of(const std::uint8_t* data, std::size_t size);

/// Runs what may refuse its input: an input error or a failure, with a message, is right. Anything else that
/// is thrown, a bug in vae_dist among it, ends the process.
void expect_result_or_refusal(const std::function<void()>& action);

/// Ends the process unless `holds`.
void expect(bool holds, const char* what);

/// A file with that content in a folder of this process's own, in memory where there is such a file system.
/// The next call replaces it.
std::string file_with(const std::uint8_t* data, std::size_t size);
/// The path of another file there, which is removed if it exists.
std::string fresh_file(const std::string& name);

}  // namespace vae_dist::fuzz
