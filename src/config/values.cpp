#include "config/values.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>

#include "vae_dist/config/synonyms.hpp"
#include "vae_dist/core/error.hpp"
#include "vae_dist/core/text.hpp"

namespace vae_dist {
namespace {

[[noreturn]] void refuse(const Node& node, const Key& key, const std::string& expected) {
    const std::string also = key.unset == nullptr ? "" : fmt::format(" or {}", key.unset);
    if (node.kind == Node::Kind::empty) {
        throw_input_error("{}: {} has no value; expected {}{}", node.place.text(), key.name, expected, also);
    }
    throw_input_error("{}: {}: expected {}{}, found {}", node.place.text(), key.name, expected, also,
                      node.described());
}

[[noreturn]] void out_of_range(const Node& node, const Key& key, const std::string& range) {
    throw_input_error("{}: {}: {} is out of range; it must be {}", node.place.text(), key.name, node.text,
                      range);
}

std::string describe(const IntegerRange& range) {
    return fmt::format("from {} to {}", format_count(range.low), format_count(range.high));
}

std::string describe(const RealRange& range) {
    return fmt::format("{} {} and at most {}{}", range.with_low ? "at least" : "greater than", range.low,
                       range.high, range.with_zero ? "" : ", and not 0");
}

std::string describe(const DurationRange& range) {
    return fmt::format("from {} to {}", compact_duration(range.low), compact_duration(range.high));
}

// from_chars takes no plus sign.
std::string_view without_plus(std::string_view text) {
    if (text.starts_with('+') && text.find_first_of("+-", 1) != 1) text.remove_prefix(1);
    return text;
}

// The number that the whole of `text` spells, if it does; infinity for one beyond a double's range.
std::optional<double> parse_real(std::string_view text) {
    text = without_plus(text);
    // from_chars would take the words inf and nan; of the letters, a number has only its exponent's.
    if (text.find_first_not_of("0123456789+-.eE") != std::string_view::npos) return std::nullopt;
    double value = 0;
    const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (end != text.data() + text.size() || status == std::errc::invalid_argument) return std::nullopt;
    if (status == std::errc::result_out_of_range) {
        const bool tiny = text.find("e-") != text.npos || text.find("E-") != text.npos;
        return tiny ? 0.0 : HUGE_VAL;
    }
    return value;
}

bool is_word_for_no_number(std::string_view text) {
    std::string lower;
    for (const char c : text) {
        if (c != '+' && c != '-' && c != '.') lower += static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
    }
    return lower == "inf" || lower == "infinity" || lower == "nan";
}

// Digits with a sign, or a number such as 1e6 that is whole and exact in a double; one beyond 64 bits becomes
// the largest, which no range allows.
std::optional<std::int64_t> parse_integer(std::string_view text) {
    const std::string_view digits = without_plus(text);
    std::int64_t value = 0;
    const auto [end, status] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (end == digits.data() + digits.size() && status == std::errc{}) return value;
    const std::optional<double> real = parse_real(text);
    if (!real || *real != std::floor(*real)) return std::nullopt;
    if (std::abs(*real) > 0x1p53) return std::numeric_limits<std::int64_t>::max();
    return static_cast<std::int64_t>(*real);
}

// Names become parts of paths in files, and words of a command line.
void require_name(const Node& node, const Key& key, const std::string& name) {
    const auto is_plain = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    };
    if (!name.empty() && std::all_of(name.begin(), name.end(), is_plain) && name != "x") return;
    throw_input_error("{}: {}: '{}' is no name for a condition: letters, digits and _, and not x",
                      node.place.text(), key.name, name);
}

// "10^6", "2^32 - 1", "16384".
std::string short_number(std::int64_t value) {
    if (value == schema::kSeeds.high) return "2^32 - 1";
    int zeros = 0;
    std::int64_t rest = value;
    for (; rest > 0 && rest % 10 == 0; rest /= 10)
        ++zeros;
    return rest == 1 && zeros >= 6 ? fmt::format("10^{}", zeros) : fmt::format("{}", value);
}

// "10^6", "1e30", "0.5".
std::string short_number(double value) {
    if (value == std::floor(value) && std::abs(value) < 0x1p53)
        return short_number(static_cast<std::int64_t>(value));
    std::string text = fmt::format("{}", value);
    std::erase(text, '+');
    return text;
}

// What stands for kForever.
constexpr const char* kForeverWord = "none";

}  // namespace

void read_value(const Node& node, const Key& key, std::int64_t& value, const IntegerRange& range) {
    if (node.kind != Node::Kind::scalar || node.quoted) refuse(node, key, "an integer");
    const std::optional<std::int64_t> parsed = parse_integer(node.text);
    if (!parsed) refuse(node, key, "an integer");
    if (*parsed < range.low || *parsed > range.high) out_of_range(node, key, describe(range));
    value = *parsed;
}

void read_value(const Node& node, const Key& key, std::uint32_t& value, const IntegerRange& range) {
    std::int64_t wide = 0;
    read_value(node, key, wide, range);
    value = static_cast<std::uint32_t>(wide);
}

void read_value(const Node& node, const Key& key, double& value, const RealRange& range) {
    if (node.kind != Node::Kind::scalar || node.quoted) refuse(node, key, "a number");
    if (is_word_for_no_number(node.text)) refuse(node, key, "a finite number");
    const std::optional<double> parsed = parse_real(node.text);
    if (!parsed) refuse(node, key, "a number");
    const bool above = range.with_low ? *parsed >= range.low : *parsed > range.low;
    if (!above || *parsed > range.high || (*parsed == 0 && !range.with_zero))
        out_of_range(node, key, describe(range));
    value = *parsed;
}

void read_value(const Node& node, const Key& key, bool& value, const NoRule&) {
    constexpr std::pair<const char*, bool> kWords[] = {
        {"true", true},   {"True", true},   {"TRUE", true},   {"yes", true}, {"on", true},
        {"false", false}, {"False", false}, {"FALSE", false}, {"no", false}, {"off", false}};
    for (const auto& [word, meaning] : kWords) {
        if (node.kind == Node::Kind::scalar && !node.quoted && node.text == word) {
            value = meaning;
            return;
        }
    }
    refuse(node, key, "true or false");
}

void read_value(const Node& node, const Key& key, Duration& value, const DurationRange& range) {
    const bool is_scalar = node.kind == Node::Kind::scalar;
    if (is_scalar && node.text == kForeverWord) {
        value = kForever;
        return;
    }
    const std::optional<Duration> parsed = is_scalar ? parse_duration(node.text) : std::nullopt;
    if (!parsed) {
        refuse(node, key,
               fmt::format("a duration such as 3h50m or 90s,{} {}", key.unset == nullptr ? " or" : "",
                           kForeverWord));
    }
    if (*parsed < range.low || *parsed > range.high) out_of_range(node, key, describe(range));
    value = *parsed;
}

void read_value(const Node& node, const Key& key, std::string& value, const TextRule& rule) {
    if (node.kind != Node::Kind::scalar) refuse(node, key, "a text");
    if (node.text.empty() && !rule.may_be_empty) refuse(node, key, "a text that is not empty");
    value = node.text;
}

void read_value(const Node& node, const Key& key, std::vector<std::int64_t>& value,
                const IntegerRange& range) {
    if (node.kind != Node::Kind::list) refuse(node, key, "a list of integers such as [200, 100]");
    value.clear();
    for (const Node& item : node.children)
        read_value(item, key, value.emplace_back(), range);
}

void read_value(const Node& node, const Key& key, std::vector<std::string>& value, const TextRule& rule) {
    value.clear();
    if (node.kind == Node::Kind::scalar) {
        read_value(node, key, value.emplace_back(), rule);
        return;
    }
    if (node.kind != Node::Kind::list) refuse(node, key, "a text or a list of texts");
    if (node.children.empty()) refuse(node, key, "at least one text");
    for (const Node& item : node.children)
        read_value(item, key, value.emplace_back(), rule);
}

void require_list(const Node& node, const Key& key) {
    if (node.kind != Node::Kind::list) refuse(node, key, "a list");
    if (node.children.empty()) refuse(node, key, "a list with something in it");
}

void require_new(const Node& item, const Key& key, bool is_new) {
    if (is_new) return;
    throw_input_error("{}: {}: '{}' is there twice", item.place.text(), key.name, item.text);
}

void read_value(const Node& node, const Key& key, std::map<std::string, std::string>& value,
                const NameRule&) {
    value.clear();
    if (node.kind != Node::Kind::map)
        refuse(node, key, "names with a dataset each, such as {energy: events/energy}");
    for (const Node& item : node.children) {
        require_name(item, key, item.key);
        if (value.contains(item.key))
            throw_input_error("{}: {}: '{}' is there twice", item.place.text(), key.name, item.key);
        read_value(item, key, value[item.key], TextRule{});
    }
}

void read_value(const Node& node, const Key& key, std::vector<std::string>& value, const NameRule&) {
    read_value(node, key, value, TextRule{});
    for (auto name = value.begin(); name != value.end(); ++name) {
        require_name(node, key, *name);
        if (std::find(value.begin(), name, *name) != name)
            throw_input_error("{}: {}: '{}' is there twice", node.place.text(), key.name, *name);
    }
}

std::size_t read_word(const Node& node, const Key& key, const std::vector<std::string>& names) {
    if (node.kind == Node::Kind::scalar) {
        const auto found = std::find(names.begin(), names.end(), node.text);
        if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
    }
    const std::string allowed = fmt::format("one of {}", fmt::join(names, ", "));
    const std::string meant =
        node.kind == Node::Kind::scalar ? value_meant_by(key.name, node.text, names) : std::string();
    const std::string near =
        meant.empty() && node.kind == Node::Kind::scalar ? nearest_word(node.text, names) : meant;
    if (near.empty()) refuse(node, key, allowed);
    throw_input_error("{}: {}: expected {}, found {}; did you mean {}?", node.place.text(), key.name, allowed,
                      node.described(), near);
}

std::pair<std::size_t, std::int64_t> read_form(const Node& node, const Key& key,
                                               const std::vector<WordForm>& forms,
                                               const IntegerRange& range) {
    std::vector<std::string> words;
    std::vector<std::string> texts;
    for (const WordForm& form : forms) {
        words.push_back(form.word);
        texts.push_back(form.text());
    }
    if (node.kind != Node::Kind::map) {
        const std::size_t word = read_word(node, key, words);
        if (forms[word].sized) refuse(node, key, fmt::format("{} with a whole number K", texts[word]));
        return {word, 0};
    }
    if (node.children.size() != 1) refuse(node, key, fmt::format("one of {}", fmt::join(texts, ", ")));
    const Node& number = node.children.front();
    Node named = Node::scalar(number.key);
    named.place = number.place;
    const std::size_t word = read_word(named, key, words);
    if (!forms[word].sized) {
        throw_input_error("{}: {}: {} has no number; write {}: {}", number.place.text(), key.name,
                          words[word], key.name, words[word]);
    }
    Key of_number = key;
    of_number.name += "." + words[word];
    std::int64_t size = 0;
    read_value(number, of_number, size, range);
    return {word, size};
}

Node write_form(const WordForm& form, std::int64_t size) {
    if (!form.sized) return Node::scalar(form.word);
    Node node;
    node.kind = Node::Kind::map;
    Node& number = node.children.emplace_back(write_value(size));
    number.key = form.word;
    return node;
}

std::string allowed_forms(const std::vector<WordForm>& forms, const IntegerRange& range) {
    std::vector<std::string> texts;
    for (const WordForm& form : forms)
        texts.push_back(form.text());
    return fmt::format("{}, K {}", marked_words(texts), allowed_values(std::int64_t{}, range));
}

std::string marked_words(const std::vector<std::string>& words) {
    return words.empty() ? "" : fmt::format("`{}`", fmt::join(words, "`, `"));
}

std::string allowed_values(std::int64_t, const IntegerRange& range) {
    return fmt::format("{} to {}", short_number(range.low), short_number(range.high));
}

std::string allowed_values(std::uint32_t, const IntegerRange& range) {
    return allowed_values(std::int64_t{}, range);
}

std::string allowed_values(double, const RealRange& range) {
    const bool ends = range.high < schema::kNonNegative.high || range.low > 0;
    if (!range.with_zero) return "a number other than 0";
    if (!range.with_low)
        return fmt::format("above {}, to {}", short_number(range.low), short_number(range.high));
    if (!ends) return fmt::format("from {} on", short_number(range.low));
    return fmt::format("{} to {}", short_number(range.low), short_number(range.high));
}

std::string allowed_values(bool, const NoRule&) {
    return "true, false";
}

std::string allowed_values(Duration, const DurationRange&) {
    return fmt::format("`{}`, or a duration", kForeverWord);
}

std::string allowed_values(const std::string&, const TextRule&) {
    return "a text";
}

std::string allowed_values(const std::vector<std::int64_t>&, const IntegerRange& range) {
    return fmt::format("a list of whole numbers, {}; may be empty", allowed_values(std::int64_t{}, range));
}

std::string allowed_values(const std::vector<std::string>&, const NameRule&) {
    return "a list of names";
}

std::string allowed_values(const std::map<std::string, std::string>&, const NameRule&) {
    return "names with a dataset each";
}

std::string allowed_values(const std::vector<std::string>&, const TextRule&) {
    return "a text, or a list of texts";
}

Node write_value(std::int64_t value) {
    return Node::scalar(fmt::format("{}", value));
}

Node write_value(std::uint32_t value) {
    return Node::scalar(fmt::format("{}", value));
}

Node write_value(double value) {
    return Node::scalar(fmt::format("{}", value));
}

Node write_value(bool value) {
    return Node::scalar(value ? "true" : "false");
}

Node write_value(Duration value) {
    return Node::scalar(value == kForever ? kForeverWord : compact_duration(value));
}

Node write_value(const std::string& value) {
    return Node::scalar(value);
}

Node write_value(const std::vector<std::int64_t>& value) {
    std::vector<std::string> texts;
    for (const std::int64_t number : value)
        texts.push_back(fmt::format("{}", number));
    return Node::list(texts);
}

Node write_value(const std::vector<std::string>& value) {
    return Node::list(value);
}

Node write_value(const std::map<std::string, std::string>& value) {
    Node node;
    node.kind = Node::Kind::map;
    for (const auto& [name, text] : value) {
        Node& item = node.children.emplace_back(Node::scalar(text));
        item.key = name;
    }
    return node;
}

}  // namespace vae_dist
