#include "vae_dist/config/load.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string_view>

#include "config/checks.hpp"
#include "config/document.hpp"
#include "config/keys.hpp"
#include "vae_dist/core/error.hpp"

namespace vae_dist {
namespace {

constexpr std::int64_t kDefaultEpochs = 10;
constexpr std::int64_t kDefaultCheckpointEvery = 1;

// Data given in place of a configuration would be read to its end before YAML could complain.
constexpr std::size_t kLargestFile = 16 << 20;

std::string read_file(const std::string& path) {
    if (std::filesystem::is_directory(path)) {
        throw_input_error("{}: is a folder, not a configuration file", path);
    }
    std::ifstream file(path, std::ios::binary);
    if (!file) throw_input_error("{}: cannot read the configuration: {}", path, std::strerror(errno));
    std::string text(kLargestFile + 1, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (file.bad()) throw_failure("{}: cannot read the configuration: {}", path, std::strerror(errno));
    text.resize(static_cast<std::size_t>(file.gcount()));
    if (text.size() > kLargestFile || text.find('\0') != std::string::npos) {
        throw_input_error("{}: is not a configuration file: it is not text, or it is too large", path);
    }
    return text;
}

std::string trimmed(const std::string& text) {
    const std::size_t first = text.find_first_not_of(' ');
    if (first == std::string::npos) return "";
    return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

// Where YAML takes the rest of a line for a comment; none in most values. A quote begins a text only where a
// value may begin.
std::size_t find_comment(std::string_view value) {
    char quote = '\0';
    char before = '\0';  // the last character that is not a blank
    for (std::size_t i = 0; i < value.size(); ++i) {
        const char c = value[i];
        if (quote != '\0') {
            if (c == '\\' && quote == '"') ++i;
            if (c == quote) quote = '\0';
        } else if ((c == '"' || c == '\'') && std::string_view("\0[{,:", 5).find(before) != value.npos) {
            quote = c;
        } else if (c == '#' && (i == 0 || value[i - 1] == ' ')) {
            return i;
        }
        if (c != ' ') before = c;
    }
    return std::string_view::npos;
}

// YAML reads some texts as nothing, or as less than what stands there; a run that trains with the default, or
// in another folder, is not what was asked for.
Node read_override_value(const std::string& value, const std::string& key, const std::string& source) {
    const auto is_control = [](unsigned char c) { return c < 0x20 || c == 0x7f; };
    if (std::ranges::any_of(value, is_control)) {
        throw_input_error("--set {}: the value has a control character, such as a tab or the end of a line",
                          key);
    }
    const std::string content = trimmed(value);
    if (content.empty()) throw_input_error("{}: {} has no value", source, key);
    if (find_comment(content) != std::string::npos) {
        throw_input_error("{}: YAML takes '{}' for a comment; quote the value if it is a text", source,
                          content.substr(find_comment(content)));
    }
    const bool marker = content.starts_with("---") || content.starts_with("...");
    if (marker && (content.size() == 3 || content[3] == ' ')) {
        throw_input_error("{}: YAML takes '{}' for the border of a document; quote the value if it is a text",
                          source, content.substr(0, 3));
    }
    Node node = read_yaml(content, source, false);
    if (node.kind == Node::Kind::empty && !node.null_word) {
        throw_input_error("{}: {} has no value; to take a key out, write null in small letters", source, key);
    }
    if (node.kind == Node::Kind::scalar && node.text.empty()) {
        throw_input_error("{}: {} has no value: the text is empty", source, key);
    }
    return node;
}

// "a.b=value" puts the value in place of what the document has there; null removes that.
void apply_override(Node& root, const std::string& text) {
    const std::string source = "--set " + text;
    const std::size_t equals = text.find('=');
    const std::string key = trimmed(text.substr(0, equals));
    if (equals == std::string::npos || key.empty()) {
        throw_input_error("{}: expected key=value, as in --set train.epochs=5", source);
    }
    if (key.starts_with('.') || key.ends_with('.') || key.find("..") != std::string::npos) {
        throw_input_error(
            "{}: a part of the key '{}' is empty; write words with one dot between two, as in train.epochs",
            source, key);
    }
    Node node = read_override_value(text.substr(equals + 1), key, source);

    Node alone;
    alone.put(key, node);
    check_keys(alone);
    if (node.kind == Node::Kind::empty) {
        root.remove(key);
    } else {
        root.put(key, std::move(node));
    }
}

void make_absolute(std::string& path) {
    if (path.empty()) return;
    std::filesystem::path clean = std::filesystem::absolute(path).lexically_normal();
    if (!clean.has_filename() && clean.has_relative_path()) clean = clean.parent_path();
    path = clean.string();
}

void make_paths_absolute(Config& config) {
    for (auto* dataset : {&config.data.train, &config.data.validation}) {
        if (!*dataset) continue;
        for (std::string& file : (*dataset)->files)
            make_absolute(file);
    }
    make_absolute(config.output.directory);
}

// A key's value in YAML by its name, with paths that compare whatever folder they were given in.
std::map<std::string, std::string> comparable(Config config) {
    make_paths_absolute(config);
    std::map<std::string, std::string> values;
    for (const Setting& setting : settings_of(config))
        values[setting.key.name] = setting.text;
    return values;
}

// Defaults of keys of which one alone will do.
void fill_in_alternatives(Config& config) {
    if (!config.train.epochs && !config.train.steps) config.train.epochs = kDefaultEpochs;
    OutputConfig& output = config.output;
    if (!output.checkpoint_every && !output.checkpoint_every_minutes)
        output.checkpoint_every = kDefaultCheckpointEvery;
}

bool schedule_depends_on_length(const Config& config) {
    const ScheduleConfig& schedule = config.optimizer.schedule;
    return schedule.name == ScheduleKind::cosine && schedule.decay_steps == 0;
}

// Both give the same numbers, of the files that auto does not refuse.
bool takes_numbers_as_they_are(const Config& config) {
    return config.data.conventions == Conventions::automatic || config.data.conventions == Conventions::none;
}

}  // namespace

Config load_config(const std::string& path, const std::vector<std::string>& overrides) {
    return parse_config(read_file(path), path, overrides);
}

Config parse_config(const std::string& yaml, const std::string& source,
                    const std::vector<std::string>& overrides, bool absolute_paths) {
    Node root = read_yaml(yaml, source);
    root.place.source = source;
    check_keys(root);
    for (const std::string& text : overrides)
        apply_override(root, text);

    Config config = read_config(root);
    check_config(config, root);
    fill_in_alternatives(config);
    if (absolute_paths) make_paths_absolute(config);
    return config;
}

std::string to_yaml(const Config& config) {
    Node root;
    for (Setting& setting : settings_of(config))
        root.put(setting.key.name, std::move(setting.value));
    return write_yaml(root);
}

std::vector<std::string> changed_result_keys(const Config& before, const Config& after) {
    const auto old_values = comparable(before);
    const auto new_values = comparable(after);
    const auto value_in = [](const auto& values, const Key& key) -> std::string {
        const auto found = values.find(key.name);
        if (found == values.end()) return "";
        return key.effect == Effect::data ? "some" : found->second;
    };
    const bool length_matters = schedule_depends_on_length(before) || schedule_depends_on_length(after);

    std::vector<std::string> changed;
    for (const Key& key : all_keys()) {
        const bool matters = key.effect == Effect::length ? length_matters : key.effect != Effect::nothing;
        if (!matters || value_in(old_values, key) == value_in(new_values, key)) continue;
        // auto means "as the run was first started".
        if (key.name == "train.virtual_ranks" && !after.train.virtual_ranks) continue;
        if (key.name == "data.conventions" && takes_numbers_as_they_are(before) &&
            takes_numbers_as_they_are(after))
            continue;
        changed.push_back(key.name);
    }
    return changed;
}

std::vector<std::string> differences(const Config& config, const Config& other) {
    const auto mine = comparable(config);
    const auto others = comparable(other);
    const auto text_in = [](const auto& values, const Key& key) {
        const auto found = values.find(key.name);
        if (found == values.end()) return std::string(key.silent != nullptr ? key.silent : "not set");
        return found->second.substr(0, found->second.find_last_not_of('\n') + 1);
    };
    std::vector<std::string> found;
    for (const Key& key : all_keys()) {
        const std::string here = text_in(mine, key);
        const std::string there = text_in(others, key);
        if (here != there) found.push_back(fmt::format("{} is {} rather than {}", key.name, here, there));
    }
    return found;
}

}  // namespace vae_dist
