#pragma once

#include "config/document.hpp"
#include "vae_dist/config/config.hpp"

namespace vae_dist {

/// Throws an input error for keys that are missing or contradict each other, for values other than the
/// default that have no effect, and for values that this version does not support. `root` is the document
/// that `config` was read from; it tells the places.
void check_config(const Config& config, const Node& root);

}  // namespace vae_dist
