#include "infer/evaluation/importance_estimate.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace vae_dist {

bool ImportanceEstimate::add(double log_likelihood, double log_ratio) {
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    const double log_weight = log_likelihood + log_ratio;
    ++draws_;
    if (log_weight == -kInfinity) return true;
    if (!std::isfinite(log_weight)) return false;
    if (sum_ == 0 || log_weight > scale_) move_scale(log_weight);
    const double weight = std::exp(log_weight - scale_);
    sum_ += weight;
    squares_ += weight * weight;
    return true;
}

void ImportanceEstimate::move_scale(double log_weight) {
    const double factor = sum_ == 0 ? 0 : std::exp(scale_ - log_weight);
    scale_ = log_weight;
    sum_ *= factor;
    squares_ *= factor * factor;
}

double ImportanceEstimate::log_mean_weight() const {
    return scale_ + std::log(sum_ / static_cast<double>(draws_));
}

double ImportanceEstimate::effective_draws() const {
    // Rounding may lift it above K where the weights are all but equal.
    return std::min(sum_ * sum_ / squares_, static_cast<double>(draws_));
}

double ImportanceEstimate::monte_carlo_variance() const {
    const auto draws = static_cast<double>(draws_);
    return (draws / effective_draws() - 1) / (draws - 1);
}

}  // namespace vae_dist
