#include "vae_dist/config/key_help.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <sstream>
#include <type_traits>
#include <utility>

#include "config/keys.hpp"
#include "config/values.hpp"
#include "vae_dist/core/error.hpp"

namespace vae_dist {
namespace {

std::string effect_text(Effect effect) {
    switch (effect) {
        case Effect::result:
            return "no";
        case Effect::nothing:
            return "yes";
        case Effect::data:
            return "yes, by moving the files";
        case Effect::length:
            return "yes, but for a cosine over the whole run";
    }
    return "";
}

template <class Value>
std::string default_text(const Value& value) {
    std::string text = write_yaml(write_value(value));
    text.pop_back();  // the line's end
    return std::is_enum_v<Value> ? marked_words({text}) : text;
}

// Collects the help of all keys, with the defaults of the configuration that it visits.
struct HelpCollector {
    std::vector<KeyHelp> keys;

    template <class Value, class Rule>
    void operator()(const Key& key, const Value& value, const Rule& rule) {
        add(key, default_text(value), allowed_values(value, rule));
    }

    template <class Value, class Rule>
    void operator()(const Key& key, const std::optional<Value>& value, const Rule& rule) {
        const std::string allowed = allowed_values(Value(), rule);
        const std::string unset = key.unset == nullptr ? "" : marked_words({key.unset});
        const char* const between = allowed.starts_with('`') ? ", " : ", or ";
        add(key,
            value           ? default_text(*value)
            : unset.empty() ? "none"
                            : unset,
            unset.empty() ? allowed : unset + between + allowed);
    }

    template <class Section, class Inside>
    void optional_section(const std::string&, const std::optional<Section>&, const Inside& visit_inside) {
        const Section section;
        visit_inside(section);
    }

    void add(const Key& key, const std::string& default_value, const std::string& allowed) {
        keys.push_back({key.name, key.default_text == nullptr ? default_value : key.default_text,
                        key.allowed == nullptr ? allowed : key.allowed, key.help,
                        key.may_change == nullptr ? effect_text(key.effect) : key.may_change});
    }
};

bool is_named(const std::string& key, const std::string& name) {
    if (key == name || key.starts_with(name + ".")) return true;
    return name.find('.') == std::string::npos &&
           (key.ends_with("." + name) || key.find("." + name + ".") != std::string::npos);
}

std::string section_of(const std::string& key) {
    return key.substr(0, key.find('.'));
}

// Markdown's text without backticks and the targets of links.
std::string without_marks(const std::string& markdown) {
    std::string text = markdown;
    std::erase(text, '`');
    for (auto middle = text.find("]("); middle != std::string::npos; middle = text.find("](", middle)) {
        const auto begin = text.rfind('[', middle);
        const auto end = text.find(')', middle);
        if (begin == std::string::npos || end == std::string::npos) break;
        text.erase(middle, end + 1 - middle);
        text.erase(begin, 1);
        --middle;
    }
    return text;
}

// Lines of at most `columns` characters, each after a margin; a word that is longer has a line of its own.
std::string in_lines(const std::string& text, std::size_t columns) {
    const std::string margin(4, ' ');
    std::istringstream words(text);
    std::string lines;
    std::string line = margin;
    for (std::string word; words >> word;) {
        const bool begins = line.size() == margin.size();
        if (!begins && line.size() + 1 + word.size() > columns) {
            lines += line + '\n';
            line = margin + word;
        } else {
            line += begins ? word : ' ' + word;
        }
    }
    return lines + line + '\n';
}

}  // namespace

std::vector<KeyHelp> all_key_help() {
    const Config config;
    HelpCollector collector;
    visit_keys(config, collector);
    return std::move(collector.keys);
}

std::vector<KeyHelp> key_help_of(const std::string& name) {
    std::vector<KeyHelp> found;
    std::ranges::copy_if(all_key_help(), std::back_inserter(found),
                         [&](const KeyHelp& key) { return is_named(key.name, name); });
    if (found.empty()) throw_input_error("there is no key or section '{}'; {}", name, advice_on_name(name));
    return found;
}

std::string markdown_tables(const std::vector<KeyHelp>& keys) {
    std::string text;
    std::string section;
    for (const KeyHelp& key : keys) {
        if (section_of(key.name) != section) {
            text += section.empty() ? "" : "\n";
            section = section_of(key.name);
            text += fmt::format("## {}\n\n| key | default | allowed | meaning | may change |\n", section);
            text += "|---|---|---|---|---|\n";
        }
        text += fmt::format("| `{}` | {} | {} | {} | {} |\n", key.name, key.default_value, key.allowed,
                            key.meaning, key.may_change);
    }
    return text;
}

std::string plain_text(const std::vector<KeyHelp>& keys, std::size_t columns) {
    std::string text;
    for (const KeyHelp& key : keys) {
        text += text.empty() ? "" : "\n";
        text += key.name + '\n';
        text += in_lines(without_marks(key.meaning), columns);
        text += in_lines("default: " + without_marks(key.default_value), columns);
        text += in_lines("allowed: " + without_marks(key.allowed), columns);
        text += in_lines("may change later: " + without_marks(key.may_change), columns);
    }
    return text;
}

}  // namespace vae_dist
