#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "vae_dist/core/random.hpp"
#include "vae_dist/model/prior.hpp"
#include "vae_dist/pointwise/mixture.hpp"

namespace vae_dist {

/// A mixture of C diagonal Gaussians, whose parameters are learned: "prior/mean" (C, Z), drawn at the start,
/// "prior/log_variance" (C, Z) and "prior/logit" (C), zero at the start.
class MixturePrior final : public Prior {
 public:
    explicit MixturePrior(std::int64_t components) : components_(components) {}

    ValueId add_log_density(Graph& graph, ValueId latent) const override {
        const std::int64_t latents = graph.value(latent).shape.columns;
        const ValueId mean =
            graph.parameter({{.name = kMean, .shape = {components_, latents}, .initial = Initial::normal}});
        const ValueId log_variance =
            graph.parameter({{.name = kLogVariance, .shape = {components_, latents}}});
        const ValueId logit = graph.parameter({{.name = kLogit, .shape = {components_}}});
        return graph.add(MixtureDensity{}, {latent, mean, log_variance, logit})[MixtureDensity::kLogDensity];
    }

    /// The component is of visit 1.
    void draw(Backend& backend, const ParameterLayout& layout, const ParameterStore& store,
              const CounterRandom& random, std::int64_t first, FloatMatrix to_host) const override {
        const auto values_of = [&](const char* name) {
            const Parameter& parameter = layout.find(name);
            std::vector<float> values(static_cast<std::size_t>(parameter.size()));
            backend.copy_out(values.data(), store.values.data() + parameter.offset,
                             values.size() * sizeof(float));
            return values;
        };
        const std::vector<float> mean = values_of(kMean);
        const std::vector<float> log_variance = values_of(kLogVariance);
        const std::vector<double> cumulative = cumulative_weights(values_of(kLogit));
        const auto latents = static_cast<std::size_t>(to_host.columns);
        for (std::int64_t r = 0; r < to_host.rows; ++r) {
            const auto row = static_cast<std::uint64_t>(first + r);
            std::array<std::uint32_t, 1> word = {};
            random.fill_words(1, row, 0, word);
            const double part = static_cast<double>(unit_float(word[0])) * cumulative.back();
            const auto above = std::ranges::lower_bound(cumulative, part);
            const auto c = static_cast<std::size_t>(above - cumulative.begin());
            float* const z = to_host.row(r);
            random.normals(0, row, {z, latents});
            for (std::size_t d = 0; d < latents; ++d) {
                const float s = Gaussian::bounded(log_variance[c * latents + d]);
                z[d] = mean[c * latents + d] + std::exp(0.5F * s) * z[d];
            }
        }
    }

 private:
    static constexpr const char* kMean = "prior/mean";
    static constexpr const char* kLogVariance = "prior/log_variance";
    static constexpr const char* kLogit = "prior/logit";

    /// Of the components before and with each; not normalised.
    static std::vector<double> cumulative_weights(const std::vector<float>& logits) {
        const auto largest = static_cast<double>(*std::ranges::max_element(logits));
        std::vector<double> cumulative;
        double sum = 0;
        for (const float logit : logits) {
            sum += std::exp(static_cast<double>(logit) - largest);
            cumulative.push_back(sum);
        }
        return cumulative;
    }

    std::int64_t components_;
};

}  // namespace vae_dist
