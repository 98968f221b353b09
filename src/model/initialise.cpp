#include <algorithm>
#include <cmath>
#include <vector>

#include "vae_dist/core/error.hpp"
#include "vae_dist/model/vae.hpp"

namespace vae_dist {

namespace {

void fill_weight(const Parameter& weight, const CounterRandom& random, std::uint32_t ordinal,
                 std::span<float> values) {
    const auto out = static_cast<std::size_t>(weight.shape[0]);
    const auto in = static_cast<std::size_t>(weight.shape[1]);
    const double deviation = weight.initial == Initial::he ? std::sqrt(2.0 / static_cast<double>(in))
                                                           : std::sqrt(2.0 / static_cast<double>(in + out));
    for (std::size_t row = 0; row < out; ++row) {
        const std::span<float> line = values.subspan(row * in, in);
        random.normals(ordinal, row, line);
        for (float& value : line)
            value = static_cast<float>(value * deviation);
    }
}

}  // namespace

void Vae::initialise(std::uint32_t seed) {
    const CounterRandom random(seed, Purpose::initialise);
    std::vector<float> values(static_cast<std::size_t>(layout_.size()), 0.0F);
    std::uint32_t ordinal = 0;
    for (const Parameter& parameter : layout_.parameters()) {
        const std::span<float> mine = std::span(values).subspan(static_cast<std::size_t>(parameter.offset),
                                                                static_cast<std::size_t>(parameter.size()));
        if (parameter.initial != Initial::zero) fill_weight(parameter, random, ordinal, mine);
        ++ordinal;
    }
    backend_.copy_in(parameters_->values.data(), values.data(), values.size() * sizeof(float));
    refresh_operands();
}

void Vae::set_output_bias_from_mean(std::span<const double> mean) {
    require(static_cast<std::int64_t>(mean.size()) == features_, "there is a mean for each feature");
    const Parameter& bias = layout_.find("decoder/output/bias");
    std::vector<float> logits;
    for (const double value : mean) {
        const double p = std::clamp(value, 0.001, 0.999);
        logits.push_back(static_cast<float>(std::log(p / (1 - p))));
    }
    backend_.copy_in(parameters_->values.data() + bias.offset, logits.data(), logits.size() * sizeof(float));
    refresh_operands();
}

}  // namespace vae_dist
