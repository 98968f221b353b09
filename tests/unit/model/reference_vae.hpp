#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "vae_dist/config/config.hpp"

namespace vae_dist {

/// The VAE's objective in double, by plain loops from the formulas, to hold the real one against.
class ReferenceVae {
 public:
    using Parameters = std::map<std::string, std::vector<double>>;  ///< by the names of the checkpoint format

    struct Sample {
        std::vector<double> x;        ///< (D)
        std::vector<double> epsilon;  ///< (Z)
    };

    struct Terms {
        double reconstruction = 0;
        double kl = 0;
        double objective = 0;  ///< sum of weight * (-reconstruction + beta * sum_j max(free_bits, KL_j))
    };

    explicit ReferenceVae(const ModelConfig& config) : config_(config) {}

    /// Sums over the samples.
    Terms terms(const Parameters& parameters, const std::vector<Sample>& samples, double weight, double beta,
                double free_bits) const;

 private:
    std::vector<double> layers(const Parameters& parameters, const std::string& name, std::size_t count,
                               std::vector<double> x) const;

    ModelConfig config_;
};

}  // namespace vae_dist
