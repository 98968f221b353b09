#pragma once

#include "vae_dist/config/config.hpp"

namespace vae_dist {

/// The values that a sample may have after scaling, rounded to float as the model's input is; outside of
/// them, or not finite, is an error naming the row. The ends are finite.
struct ValueRange {
    float lowest;
    float highest;
    const char* why;  ///< "the bernoulli likelihood needs values in [0, 1]"
};

/// The range that a configuration's transform allows, for a likelihood of that support.
ValueRange allowed_values(Transform transform, const Support& support);

}  // namespace vae_dist
