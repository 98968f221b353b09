#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace vae_dist {

/// What users read about a key. Texts are Markdown in one line, without '|'.
struct KeyHelp {
    std::string name;  ///< in dots
    std::string default_value;
    std::string allowed;
    std::string meaning;
    std::string may_change;  ///< whether a run that goes on may have another value
};

/// The help of every key, in the order of configs/README.md.
std::vector<KeyHelp> all_key_help();

/// The help of the key or of the keys of the section with that name in dots: "train.seed",
/// "optimizer.schedule". A name without dots also stands for every key and section whose last part it is:
/// "hidden". Throws an input error with the nearest known name where there is none.
std::vector<KeyHelp> key_help_of(const std::string& name);

/// The tables of configs/README.md: for each section its heading and one table.
std::string markdown_tables(const std::vector<KeyHelp>& keys);

/// The same as plain text: for each key a paragraph in lines of at most `columns` characters.
std::string plain_text(const std::vector<KeyHelp>& keys, std::size_t columns);

}  // namespace vae_dist
