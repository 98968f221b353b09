#pragma once

#include <algorithm>
#include <cstring>
#include <optional>
#include <vector>

#include "vae_dist/train/record/checkpoint.hpp"

namespace vae_dist {

/// Whether two numbers are equal to the bit, NaNs too.
template <class T>
bool same_bits(const T& a, const T& b) {
    return std::memcmp(&a, &b, sizeof(T)) == 0;
}

// Whether two of anything that a checkpoint holds are equal to the bit.

template <class T>
bool same(const std::vector<T>& a, const std::vector<T>& b) {
    return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0;
}

inline bool same(const std::vector<NamedArray>& a, const std::vector<NamedArray>& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const NamedArray& x, const NamedArray& y) {
        return x.name == y.name && x.shape == y.shape && same(x.values, y.values);
    });
}

inline bool same(const TermValues& a, const TermValues& b) {
    return std::ranges::equal(a.names(), b.names()) &&
           std::ranges::equal(a.values(), b.values(), [](double x, double y) { return same_bits(x, y); });
}

inline bool same(const Progress& a, const Progress& b) {
    return a.step == b.step && a.epoch == b.epoch && a.samples_in_epoch == b.samples_in_epoch &&
           a.updates == b.updates && a.nonfinite_in_a_row == b.nonfinite_in_a_row &&
           same_bits(a.validation_elbo, b.validation_elbo) && same_bits(a.best_elbo, b.best_elbo) &&
           same(a.window.sums, b.window.sums) && same_bits(a.validation_bound, b.validation_bound) &&
           same_bits(a.best_bound, b.best_bound) && a.window.samples == b.window.samples &&
           a.epoch_end_pending == b.epoch_end_pending;
}

inline bool same(const std::optional<FeatureStatistics>& a, const std::optional<FeatureStatistics>& b) {
    if (!a || !b) return a.has_value() == b.has_value();
    return same(a->mean, b->mean) && same(a->deviation, b->deviation) && a->rows == b->rows;
}

inline bool same(const Checkpoint& a, const Checkpoint& b) {
    return same(a.progress, b.progress) && a.config == b.config && a.created_by == b.created_by &&
           a.data_rows == b.data_rows && a.data_fingerprint == b.data_fingerprint &&
           a.data_identity == b.data_identity && a.row_shape == b.row_shape && a.data_type == b.data_type &&
           same(a.model, b.model) &&
           std::equal(
               a.optimizer.begin(), a.optimizer.end(), b.optimizer.begin(), b.optimizer.end(),
               [](const auto& x, const auto& y) { return x.first == y.first && same(x.second, y.second); }) &&
           same(a.statistics, b.statistics);
}

}  // namespace vae_dist
