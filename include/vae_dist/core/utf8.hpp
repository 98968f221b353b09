#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace vae_dist {

/// How many bytes of `text`, from its beginning, are whole characters of UTF-8: all of them, or up to the
/// first byte that is not one. Overlong forms, surrogates and what lies beyond U+10FFFF are not UTF-8.
std::size_t utf8_prefix(std::string_view text);

inline bool is_utf8(std::string_view text) {
    return utf8_prefix(text) == text.size();
}

/// `text` for a message: no more than `most` bytes of it, control characters and bytes that are not UTF-8 as
/// \xNN.
std::string printable(std::string_view text, std::size_t most = 40);

}  // namespace vae_dist
