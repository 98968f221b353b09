#pragma once

#include <limits>

#include "vae_dist/pointwise/math.hpp"

namespace vae_dist {

/// The data that a density is for: numbers from lowest to highest, both finite.
struct Support {
    float lowest = -std::numeric_limits<float>::max();
    float highest = std::numeric_limits<float>::max();
    const char* needs = nullptr;  ///< "the bernoulli likelihood needs values in [0, 1]"; none for all numbers

    constexpr bool is_bounded() const { return needs != nullptr; }
};

// A density of one feature is a struct D of static members, each written once for every kind of number. The
// log-density of a sample is the sum over its features of
//
//   D::kScale * (D::kConstant + normaliser + term) - log(1 + small)
//
// D has parameters, which are columns of the decoder's output; the last of several may instead be one row,
// for all samples. Then what depends on this parameter alone is computed once a column:
//
//   kName, kParameters, kParameterNames   its word in a configuration, and what its parameters are called
//   kSupport                              see Support
//   at(x, parameters)                     its DensityTerms; the last of several parameters is prepared
//   prepared(p), normaliser(p)            of the last of several parameters
//   limited(p, gradient)                  of that too: the gradient that descent may follow
//   bounded(number)                       of that too, where the decoder gives it: the parameter
//   to_parameters(numbers)                the parameters, of the decoder's numbers; is_plain: the same
//   kMean, kMeanIsProbability             the parameter that is the mean; whether it is a probability
//   draw(random, parameters)              a draw, from the functions uniform() and normal() of `random`
//   start(mean)                           what the decoder's number for the mean starts at, where the
//                                         data's mean decides: kStartsFromMean

/// One feature's part of a log-density.
template <class Number, int kParameters>
struct DensityTerms {
    Number term;
    Number small;                  ///< from 0 to 1; unset without kHasSmall
    Number gradient[kParameters];  ///< of minus the log-density
};

}  // namespace vae_dist
