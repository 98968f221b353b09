#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "vae_dist/config/config.hpp"

namespace vae_dist {

/// The VAE's objective in double, by plain loops from the formulas, to hold the real one against.
class ReferenceVae {
 public:
    using Parameters = std::map<std::string, std::vector<double>>;  ///< by the names of the checkpoint format

    struct Sample {
        std::vector<double> x;                     ///< (D)
        std::vector<double> conditions = {};       ///< all of them, one after the other
        std::vector<std::vector<double>> epsilon;  ///< (K, Z), of each draw
    };

    struct Terms {
        double reconstruction = 0;
        double kl = 0;
        double iwae_bound = 0;
        /// One draw: sum of weight * (-reconstruction + beta * sum_j max(free_bits, KL_j)). Several: sum of
        /// -weight * log(1/K sum_k exp(log p(x|z_k) + beta * log(p(z_k) / q(z_k|x)))).
        double objective = 0;
    };

    explicit ReferenceVae(const ModelConfig& config) : config_(config) {}

    /// Mean and log-variance (Z) of q(z|x).
    std::pair<std::vector<double>, std::vector<double>> posterior(
        const Parameters& parameters, const std::vector<double>& x,
        const std::vector<double>& conditions = {}) const;

    /// Sums over the samples.
    Terms terms(const Parameters& parameters, const std::vector<Sample>& samples, double weight, double beta,
                double free_bits) const;

 private:
    std::vector<double> layers(const Parameters& parameters, const std::string& name, std::size_t count,
                               std::vector<double> x) const;
    // x with the conditions behind it, where they go into that part.
    std::vector<double> conditioned(ConditionedPart part, std::vector<double> x,
                                    const std::vector<double>& conditions) const;

    ModelConfig config_;
};

}  // namespace vae_dist
