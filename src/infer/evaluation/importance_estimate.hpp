#pragma once

#include <cstdint>

namespace vae_dist {

/// What K draws z_k from q(z|x) say about one sample: log p(x) and how sure it is. The draws come one after
/// another and none is kept. w_k = p(x, z_k) / q(z_k|x).
class ImportanceEstimate {
 public:
    /// The next draw: log p(x|z_k), and log p(z_k) - log q(z_k|x). Returns false, and is of no more use,
    /// where log w_k is NaN or +inf; -inf is a weight of 0.
    bool add(double log_likelihood, double log_ratio);

    /// log(1/K sum_k w_k) (Burda et al., 2016, eq. 8).
    double log_mean_weight() const;
    /// (sum_k w_k)^2 / sum_k w_k^2, from 1 to K.
    double effective_draws() const;
    /// Of log_mean_weight, by the delta method: var_k(w) / K / mean_k(w)^2; NaN for one draw.
    double monte_carlo_variance() const;

 private:
    void move_scale(double log_weight);

    std::int64_t draws_ = 0;
    double scale_ = 0;    ///< the largest log w_k so far; 0 before the first
    double sum_ = 0;      ///< of w_k / exp(scale)
    double squares_ = 0;  ///< of (w_k / exp(scale))^2
};

}  // namespace vae_dist
