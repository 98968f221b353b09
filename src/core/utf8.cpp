#include "vae_dist/core/utf8.hpp"

#include <fmt/format.h>

namespace vae_dist {

namespace {

unsigned byte_at(std::string_view text, std::size_t at) {
    return static_cast<unsigned char>(text[at]);
}

// The number of bytes of the first character of `text`; 0 if there is none.
std::size_t character_length(std::string_view text) {
    const unsigned first = byte_at(text, 0);
    if (first < 0x80) return 1;
    const std::size_t length = first >= 0xc2 && first < 0xe0 ? 2 : first >= 0xe0 && first < 0xf0 ? 3 : 4;
    if (first < 0xc2 || first > 0xf4 || text.size() < length) return 0;
    // The second byte shows overlong forms, surrogates and characters beyond the last one.
    const unsigned low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    const unsigned high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    if (byte_at(text, 1) < low || byte_at(text, 1) > high) return 0;
    for (std::size_t i = 2; i < length; ++i) {
        if (byte_at(text, i) < 0x80 || byte_at(text, i) > 0xbf) return 0;
    }
    return length;
}

}  // namespace

std::size_t utf8_prefix(std::string_view text) {
    std::size_t at = 0;
    while (at < text.size()) {
        const std::size_t length = character_length(text.substr(at));
        if (length == 0) break;
        at += length;
    }
    return at;
}

std::string printable(std::string_view text, std::size_t most) {
    std::string shown;
    std::size_t at = 0;
    while (at < text.size()) {
        const std::size_t length = character_length(text.substr(at));
        if (at + length > most || at >= most) return shown + "...";
        const bool control = length == 1 && (byte_at(text, at) < 0x20 || byte_at(text, at) == 0x7f);
        if (length == 0 || control) {
            shown += fmt::format("\\x{:02x}", byte_at(text, at));
        } else {
            shown += text.substr(at, length);
        }
        at += length == 0 ? 1 : length;
    }
    return shown;
}

}  // namespace vae_dist
