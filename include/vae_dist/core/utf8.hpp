#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace vae_dist {

/// The number of bytes at the beginning of `text` that are whole characters of UTF-8. Overlong forms,
/// surrogates and characters beyond U+10FFFF are not UTF-8.
std::size_t utf8_prefix(std::string_view text);

inline bool is_utf8(std::string_view text) {
    return utf8_prefix(text) == text.size();
}

/// `text` for a message: at most `most` bytes of it, with control characters and bytes that are not UTF-8 as
/// \xNN.
std::string printable(std::string_view text, std::size_t most = 40);

}  // namespace vae_dist
