#pragma once

#include <array>
#include <cstdint>

#include "vae_dist/pointwise/math.hpp"

namespace vae_dist {

// An update rule of an optimizer is a struct R. Its members are the numbers of one update, as floats:
//
//   kName       its word in a configuration
//   kStates     the names of its state arrays, as checkpoints have them; each array starts at 0
//   kSettings   the keys of the configuration's section `optimizer` that this rule reads and others may not
//   begin(settings, update, learning_rate)
//               sets the numbers of one update, computed in double; `settings` has a member for each key;
//               `update` counts from 1
//   apply(gradient, state, weight)
//               changes one weight and its element of each state array
//
// apply is written once for every kind of number. Sums, products, quotients and square roots are rounded as
// IEEE 754 says, so processors and GPUs give the same bits. A rule's apply uses no other function.

/// The factor of a weight in decoupled weight decay (Loshchilov and Hutter, 2019).
template <class Settings>
float decay_factor(const Settings& settings, double learning_rate) {
    return static_cast<float>(1 - learning_rate * settings.weight_decay);
}

}  // namespace vae_dist
