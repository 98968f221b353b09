#include "config/keys.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "config/values.hpp"
#include "vae_dist/config/synonyms.hpp"
#include "vae_dist/core/error.hpp"
#include "vae_dist/core/text.hpp"

namespace vae_dist {
namespace {

// Lists the keys.
struct KeyLister {
    std::vector<Key> keys;

    template <class Value, class Rule>
    void operator()(const Key& key, Value&, const Rule&) {
        keys.push_back(key);
    }

    template <class Section, class Inside>
    void optional_section(const std::string&, std::optional<Section>&, const Inside& visit_inside) {
        Section section;
        visit_inside(section);
    }
};

// Where a section that stands for a word has the word.
std::string name_of_kind(const Key& key) {
    return key.name + ".kind";
}

// Collects a configuration's values.
struct SettingCollector {
    std::vector<Setting> settings;

    template <class Value, class Rule>
    void operator()(const Key& key, const Value& value, const Rule&) {
        add(key, write_value(value));
    }

    template <class Value, class Rule>
    void operator()(const Key& key, const std::optional<Value>& value, const Rule&) {
        if (value) {
            add(key, write_value(*value));
        } else if (key.unset != nullptr) {
            add(key, Node::scalar(key.unset));
        }
    }

    template <class Section, class Inside>
    void optional_section(const std::string&, const std::optional<Section>& section,
                          const Inside& visit_inside) {
        if (section) visit_inside(*section);
    }

    void add(const Key& key, const Node& value) {
        const std::string text = write_yaml(value);
        if (key.silent != nullptr && text == std::string(key.silent) + "\n") return;
        settings.push_back({key, value, text});
    }
};

// Sets what the document names.
struct ConfigReader {
    const Node& root;

    template <class Value, class Rule>
    void operator()(const Key& key, Value& value, const Rule& rule) {
        const Node* node = root.find(key.name);
        if (node == nullptr) return;
        if (!key.is_kind || node->kind != Node::Kind::map) return read_value(*node, key, value, rule);
        const Node* const word = root.find(name_of_kind(key));
        if (word == nullptr) {
            throw_input_error("{}: {} is missing: a section of {} says which one it is for",
                              node->place.text(), name_of_kind(key), key.name);
        }
        read_value(*word, key, value, rule);
    }

    template <class Value, class Rule>
    void operator()(const Key& key, std::optional<Value>& value, const Rule& rule) {
        const Node* node = root.find(key.name);
        if (node == nullptr) return;
        value.reset();
        const bool unset =
            key.unset != nullptr && node->kind == Node::Kind::scalar && node->text == key.unset;
        if (!unset) read_value(*node, key, value.emplace(), rule);
    }

    template <class Section, class Inside>
    void optional_section(const std::string& name, std::optional<Section>& section,
                          const Inside& visit_inside) {
        const Node* node = root.find(name);
        if (node == nullptr) return;
        if (node->kind == Node::Kind::empty) {
            throw_input_error("{}: {} has no value; expected a section of keys", node->place.text(), name);
        }
        visit_inside(section.emplace());
    }
};

std::string_view last_part(std::string_view name) {
    return name.substr(name.rfind('.') + 1);
}

// What may be named in a document: the keys, and the sections that they stand in.
struct Vocabulary {
    std::set<std::string> keys;
    std::set<std::string> sections;

    Vocabulary() {
        for (const Key& key : all_keys()) {
            keys.insert(key.name);
            if (key.is_kind) keys.insert(name_of_kind(key));
            for (auto dot = key.name.find('.'); dot != std::string::npos; dot = key.name.find('.', dot + 1)) {
                sections.insert(key.name.substr(0, dot));
            }
        }
    }

    std::vector<std::string> matching(const auto& wanted) const {
        std::vector<std::string> names;
        std::copy_if(keys.begin(), keys.end(), std::back_inserter(names), wanted);
        std::copy_if(sections.begin(), sections.end(), std::back_inserter(names), wanted);
        return names;
    }

    // The one of `names` whose last part is nearest to `word`; empty if none is near.
    static std::string nearest(const std::string& word, const std::vector<std::string>& names) {
        std::vector<std::string> words;
        for (const std::string& name : names)
            words.emplace_back(last_part(name));
        const auto found = std::find(words.begin(), words.end(), nearest_word(word, words));
        return found == words.end() ? "" : names[static_cast<std::size_t>(found - words.begin())];
    }

    // What to say about a name that is neither: namesakes elsewhere, else what the word means in other
    // trainers, else the nearest name, the one in its section first, else what there is.
    std::string advice(const std::string& name, const std::string& section) const {
        const std::string word(last_part(name));
        const auto namesakes = matching([&](const std::string& known) { return last_part(known) == word; });
        if (!namesakes.empty()) return "it belongs elsewhere: " + format_list(namesakes);
        const std::vector<std::string> meant = keys_meant_by(word);
        if (!meant.empty()) return fmt::format("did you mean {}?", fmt::join(meant, " or "));
        const auto siblings = matching([&](const std::string& known) {
            return known.size() > section.size() && known.starts_with(section) &&
                   known.find('.', section.size()) == std::string::npos;
        });
        std::vector<std::string> names = siblings;
        const auto all = matching([](const std::string&) { return true; });
        names.insert(names.end(), all.begin(), all.end());
        const std::string near = nearest(word, names);
        if (!near.empty()) return fmt::format("did you mean {}?", near);
        return "known here: " + format_list(siblings);
    }
};

// `section` ends in a dot unless it is the whole document.
void check_section(const Node& map, const std::string& section, const Vocabulary& known) {
    std::vector<const Node*> seen;
    for (const Node& entry : map.children) {
        const std::string name = section + entry.key;
        if (entry.key.find('.') != std::string::npos) {
            throw_input_error("{}: write {} as {} inside the section before it", entry.place.text(), name,
                              last_part(name));
        }
        const bool is_section = known.sections.contains(name);
        if (!is_section && !known.keys.contains(name)) {
            throw_input_error("{}: unknown key {}; {}", entry.place.text(), name,
                              known.advice(name, section));
        }
        const auto first = std::find_if(seen.begin(), seen.end(),
                                        [&](const Node* earlier) { return earlier->key == entry.key; });
        if (first != seen.end()) {
            throw_input_error("{}: {} is there twice; the first is on line {}", entry.place.text(), name,
                              (*first)->place.line);
        }
        seen.push_back(&entry);
        const bool is_word = known.keys.contains(name) && entry.kind != Node::Kind::map;
        if (!is_section || is_word) continue;
        if (entry.kind == Node::Kind::empty && !entry.null_word) {
            throw_input_error(
                "{}: {} is a section with nothing in it; put keys below it, indented, or leave it out",
                entry.place.text(), name);
        }
        if (entry.kind != Node::Kind::map && entry.kind != Node::Kind::empty) {
            throw_input_error("{}: {} is a section: expected keys below it, found {}", entry.place.text(),
                              name, entry.described());
        }
        check_section(entry, name + ".", known);
    }
}

}  // namespace

std::vector<Key> all_keys() {
    KeyLister lister;
    Config config;
    visit_keys(config, lister);
    return std::move(lister.keys);
}

std::string advice_on_name(const std::string& name) {
    return Vocabulary().advice(name, name.substr(0, name.rfind('.') + 1));
}

std::vector<Setting> settings_of(const Config& config) {
    SettingCollector collector;
    visit_keys(config, collector);
    return std::move(collector.settings);
}

void check_keys(const Node& root) {
    if (root.kind == Node::Kind::empty) {
        throw_input_error("{}: the configuration is empty", root.place.source);
    }
    if (root.kind != Node::Kind::map) {
        throw_input_error("{}: expected sections such as 'train:', found {}", root.place.text(),
                          root.described());
    }
    check_section(root, "", Vocabulary());
}

Config read_config(const Node& root) {
    Config config;
    ConfigReader reader{root};
    visit_keys(config, reader);
    return config;
}

}  // namespace vae_dist
