#pragma once

#include <cstdint>
#include <span>

#include "vae_dist/core/bfloat16.hpp"
#include "vae_dist/pointwise/updates.hpp"

namespace vae_dist {

/// Work on whole arrays of a backend's memory: sums, exact sums and the updates of optimizers. Results are
/// pure functions of values and lengths, as Backend's are. Arrays of one call have one length.
class ArrayOperations {
 public:
    virtual ~ArrayOperations() = default;

    virtual void fill(std::span<float> values, float value) = 0;
    virtual void scale(std::span<float> values, float factor) = 0;
    virtual void add(std::span<const float> values, std::span<float> to) = 0;
    virtual void add_bfloat16(std::span<const BFloat16> values, std::span<float> to) = 0;
    /// Rounds to nearest, ties to even.
    virtual void to_bfloat16(std::span<const float> from, std::span<BFloat16> to) = 0;

    // --- Sums
    /// *to, of the backend's memory, = the sum of `values`, in double, in one fixed order, / divisor.
    virtual void sum(std::span<const float> values, double divisor, double* to) = 0;
    virtual double sum_of_squares(std::span<const float> values) = 0;  ///< in double, in one fixed order
    /// to[i] (+)= round(values[i] * 2^fraction_bits), to nearest, ties to even; overwrites where `overwrite`.
    /// Returns false if a value is not finite or the scaled value is not below 2^62 / `addends` in magnitude,
    /// where `addends` is how many numbers will be added in all; `to` is then unspecified.
    virtual bool add_exact(std::span<const float> values, int fraction_bits, std::int64_t addends,
                           bool overwrite, std::span<std::int64_t> to) = 0;
    /// to = the sum of the arrays at `arrays`, of to.size() elements each: what add_exact of one after the
    /// other and from_exact give, and false where add_exact does, but in one pass.
    virtual bool sum_exact(std::span<const float* const> arrays, int fraction_bits, std::int64_t addends,
                           std::span<float> to) = 0;
    /// to[i] = values[i] * 2^-fraction_bits, rounded to float once.
    virtual void from_exact(std::span<const std::int64_t> values, int fraction_bits, std::span<float> to) = 0;

    // --- Optimizers
    /// gradient += l1 * sign(weight) + l2 * weight.
    virtual void add_penalty(std::span<const float> weights, float l1, float l2,
                             std::span<float> gradient) = 0;
    /// Applies the rule to each element of `gradient`, `weights` and the rule's arrays of `state`, in the
    /// order of its names.
    virtual void update(const UpdateRule& rule, std::span<const float> gradient,
                        std::span<const std::span<float>> state, std::span<float> weights) = 0;
};

}  // namespace vae_dist
