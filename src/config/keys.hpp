#pragma once

#include <string>
#include <vector>

#include "config/document.hpp"
#include "config/schema.hpp"
#include "vae_dist/config/config.hpp"

namespace vae_dist {

/// A key and its value in some configuration.
struct Setting {
    Key key;
    Node value;
    std::string text;  ///< the value in YAML
};

/// Every key, those of optional sections too.
std::vector<Key> all_keys();

/// What to say about a name in dots that is neither a key nor a section: "did you mean train.seed?".
std::string advice_on_name(const std::string& name);

/// The keys that `config` has a value for: not those of absent sections.
std::vector<Setting> settings_of(const Config& config);

/// Throws an input error for a document that is not a map of sections and known keys, or that repeats one.
void check_keys(const Node& root);

/// The document's values over the defaults. The document has passed check_keys. Throws an input error for a
/// value of the wrong type or out of range.
Config read_config(const Node& root);

}  // namespace vae_dist
