#pragma once

#include <string>
#include <vector>

#include "vae_dist/config/config.hpp"

namespace vae_dist {

/// Reads a configuration file and applies `overrides` ("a.b=value", the value in YAML) in order; the value
/// null takes a key out. Throws an input error that names file, key and line, and the nearest known key, for
/// an unreadable file, an unknown or repeated key, a value of the wrong type or out of range, keys that
/// contradict each other, values other than the default that have no effect, and values that this version
/// does not support. Paths become absolute. One of train.epochs and train.steps is set in the result, and at
/// least one of output.checkpoint_every and output.checkpoint_every_minutes.
/// output.directory may be empty: only training needs it.
Config load_config(const std::string& path, const std::vector<std::string>& overrides);

/// The same from YAML text; `source` names it in messages. Relative paths are left as they are if
/// `absolute_paths` is false.
Config parse_config(const std::string& yaml, const std::string& source,
                    const std::vector<std::string>& overrides = {}, bool absolute_paths = true);

/// YAML text with every key of `config`, defaults included, in the order of configs/README.md, but not those
/// of absent sections, nor what is absent of train.epochs, train.steps, output.checkpoint_every and
/// output.checkpoint_every_minutes. parse_config turns the text of a configuration that it returned into an
/// equal one.
std::string to_yaml(const Config& config);

/// The names, in dots, of the keys in which the two differ and that a run's result depends on, which their
/// Effect in the schema tells: train.epochs and train.steps (which may be raised to train on) only where the
/// schedule is a cosine over the whole run. Data may lie elsewhere: their files are named only where one of
/// the two has none. `auto` for train.virtual_ranks in `after` is no change: it means what the
/// run was started with.
std::vector<std::string> changed_result_keys(const Config& before, const Config& after);

/// Every key in which the two differ, with both values: "train.seed is 2 rather than 1".
std::vector<std::string> differences(const Config& config, const Config& other);

}  // namespace vae_dist
