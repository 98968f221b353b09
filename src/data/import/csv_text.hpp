#pragma once

#include <string>
#include <string_view>

namespace vae_dist {

/// Throws an input error unless `beginning`, the first bytes of the file at `path`, may be those of a table
/// as UTF-8 text: it names the format or encoding that it recognises, and what to do. Bytes of other
/// encodings of 8 bits are found later, where they stand.
void require_table_text(std::string_view beginning, const std::string& path);

/// What to do about a text with bytes that are not UTF-8: which encoding it may have, and how to convert it.
std::string advice_for_encoding(std::string_view text, const std::string& path);

}  // namespace vae_dist
