#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "config/document.hpp"
#include "config/schema.hpp"
#include "vae_dist/config/names.hpp"

namespace vae_dist {

// One key's value, from and to a node. Each read_value throws an input error with place, key and what is
// allowed.

void read_value(const Node& node, const Key& key, std::int64_t& value, const IntegerRange& range);
void read_value(const Node& node, const Key& key, std::uint32_t& value, const IntegerRange& range);
void read_value(const Node& node, const Key& key, double& value, const RealRange& range);
void read_value(const Node& node, const Key& key, bool& value, const NoRule&);
void read_value(const Node& node, const Key& key, Duration& value, const DurationRange& range);
void read_value(const Node& node, const Key& key, std::string& value, const TextRule& rule);

/// A list; for texts, one alone will do.
void read_value(const Node& node, const Key& key, std::vector<std::int64_t>& value,
                const IntegerRange& range);
void read_value(const Node& node, const Key& key, std::vector<std::string>& value, const TextRule& rule);

/// A map of texts by names, and a list of names.
void read_value(const Node& node, const Key& key, std::map<std::string, std::string>& value, const NameRule&);
void read_value(const Node& node, const Key& key, std::vector<std::string>& value, const NameRule&);

/// Throws unless the node is a list with something in it, and where a word of it is not new.
void require_list(const Node& node, const Key& key);
void require_new(const Node& item, const Key& key, bool is_new);

/// The position of the node's word among `names`.
std::size_t read_word(const Node& node, const Key& key, const std::vector<std::string>& names);

template <class Enum>
requires std::is_enum_v<Enum>
void read_value(const Node& node, const Key& key, Enum& value, const NoRule&) {
    const auto& names = kEnumNames<Enum>;
    value = static_cast<Enum>(read_word(node, key, {names.begin(), names.end()}));
}

/// A list of words, each once.
template <class Enum>
requires std::is_enum_v<Enum>
void read_value(const Node& node, const Key& key, std::vector<Enum>& value, const NoRule& rule) {
    value.clear();
    require_list(node, key);
    for (const Node& item : node.children) {
        Enum word{};
        read_value(item, key, word, rule);
        require_new(item, key, std::find(value.begin(), value.end(), word) == value.end());
        value.push_back(word);
    }
}

/// A word as a document has it: "standard_normal", or "{mixture: K}".
struct WordForm {
    std::string word;
    bool sized = false;
    std::string text() const { return sized ? "{" + word + ": K}" : word; }
};
template <class Enum>
std::vector<WordForm> word_forms() {
    std::vector<WordForm> forms;
    for (std::size_t i = 0; i < kEnumNames<Enum>.size(); ++i)
        forms.push_back({kEnumNames<Enum>[i], kSized<Enum>[i]});
    return forms;
}

/// The place of the node's word among the forms, and its number, 0 where it has none.
std::pair<std::size_t, std::int64_t> read_form(const Node& node, const Key& key,
                                               const std::vector<WordForm>& forms, const IntegerRange& range);
Node write_form(const WordForm& form, std::int64_t size);
std::string allowed_forms(const std::vector<WordForm>& forms, const IntegerRange& range);

template <class Enum>
void read_value(const Node& node, const Key& key, SizedWord<Enum>& value, const IntegerRange& range) {
    const auto [word, size] = read_form(node, key, word_forms<Enum>(), range);
    value = {static_cast<Enum>(word), size};
}

// What users read about the values that a key may have, in Markdown: "1 to 10^6", "`relu`, `tanh`".

std::string allowed_values(std::int64_t, const IntegerRange& range);
std::string allowed_values(std::uint32_t, const IntegerRange& range);
std::string allowed_values(double, const RealRange& range);
std::string allowed_values(bool, const NoRule&);
std::string allowed_values(Duration, const DurationRange&);
std::string allowed_values(const std::string&, const TextRule&);
std::string allowed_values(const std::vector<std::int64_t>&, const IntegerRange& range);
std::string allowed_values(const std::vector<std::string>&, const TextRule&);
std::string allowed_values(const std::vector<std::string>&, const NameRule&);
std::string allowed_values(const std::map<std::string, std::string>&, const NameRule&);

/// Words between backticks, with commas.
std::string marked_words(const std::vector<std::string>& words);

template <class Enum>
requires std::is_enum_v<Enum> std::string allowed_values(Enum, const NoRule&) {
    const auto& names = kEnumNames<Enum>;
    return marked_words({names.begin(), names.end()});
}

template <class Enum>
requires std::is_enum_v<Enum> std::string allowed_values(const std::vector<Enum>&, const NoRule& rule) {
    return "a list of " + allowed_values(Enum{}, rule);
}

template <class Enum>
std::string allowed_values(const SizedWord<Enum>&, const IntegerRange& range) {
    return allowed_forms(word_forms<Enum>(), range);
}

Node write_value(std::int64_t value);
Node write_value(std::uint32_t value);
Node write_value(double value);
Node write_value(bool value);
Node write_value(Duration value);
Node write_value(const std::string& value);
Node write_value(const std::vector<std::int64_t>& value);
Node write_value(const std::vector<std::string>& value);
Node write_value(const std::map<std::string, std::string>& value);

template <class Enum>
Node write_value(const SizedWord<Enum>& value) {
    return write_form(word_forms<Enum>().at(static_cast<std::size_t>(value.word)), value.size);
}

template <class Enum>
requires std::is_enum_v<Enum> Node write_value(Enum value) {
    return Node::scalar(name_of(value));
}

template <class Enum>
requires std::is_enum_v<Enum> Node write_value(const std::vector<Enum>& value) {
    std::vector<std::string> words;
    for (const Enum each : value)
        words.emplace_back(name_of(each));
    return Node::list(words);
}

}  // namespace vae_dist
