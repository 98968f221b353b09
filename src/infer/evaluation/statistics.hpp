#pragma once

#include <cstdint>

namespace vae_dist {

/// Count, mean and spread of numbers that come one after another or in parts: Welford's (1962) and Chan's
/// (1983) updates, which don't lose digits where the mean is large beside the spread. The result depends on
/// the order of the updates alone. Trivially copyable.
struct Moments {
    std::int64_t count = 0;
    double sum = 0;
    double squares = 0;  ///< sum of (value - mean)^2

    void add(double value) { merge({.count = 1, .sum = value}); }
    void merge(const Moments& other);

    double mean() const { return sum / static_cast<double>(count); }
    /// Of the numbers themselves: squares / count; NaN for one number.
    double variance() const;
    /// Of the mean: sqrt(squares / (count - 1) / count); NaN for one number.
    double standard_error() const;
};

}  // namespace vae_dist
