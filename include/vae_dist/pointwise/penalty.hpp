#pragma once

#include "vae_dist/pointwise/math.hpp"

namespace vae_dist {

/// Penalties on weights: gradient += l1 * sign(weight) + l2 * weight.
struct Penalty {
    float l1 = 0;
    float l2 = 0;

    template <class Number>
    VAE_DIST_POINTWISE void apply(const Number& weight, Number& gradient) const {
        using M = Math<Number>;
        const Number sign = M::where_positive(weight, M::constant(1),
                                              M::where_positive(-weight, M::constant(-1), M::constant(0)));
        gradient += l1 * sign + l2 * weight;
    }
};

}  // namespace vae_dist
