#include <cmath>
#include <vector>

#include "vae_dist/core/checksum.hpp"
#include "vae_dist/core/error.hpp"
#include "vae_dist/model/vae.hpp"

namespace vae_dist {

namespace {

double deviation_of(Initial initial, double in, double out) {
    switch (initial) {
        case Initial::zero:
            return 0;
        case Initial::glorot:
            return std::sqrt(2 / (in + out));
        case Initial::he:
            return std::sqrt(2 / in);
        case Initial::normal:
            return 1;
    }
    return 0;
}

// A weight's numbers are named by the weight: what else a model has does not change them.
void fill_weight(const Parameter& weight, const CounterRandom& random, std::span<float> values) {
    const std::uint32_t name = crc32_of(std::as_bytes(std::span(weight.name)));
    const auto out = static_cast<std::size_t>(weight.shape[0]);
    const auto in = static_cast<std::size_t>(weight.shape[1]);
    const double deviation = deviation_of(weight.initial, static_cast<double>(in), static_cast<double>(out));
    for (std::size_t row = 0; row < out; ++row) {
        const std::span<float> line = values.subspan(row * in, in);
        random.normals(name, row, line);
        for (float& value : line)
            value = static_cast<float>(value * deviation);
    }
}

}  // namespace

void Vae::initialise(std::uint32_t seed) {
    const CounterRandom random(seed, Purpose::initialise);
    std::vector<float> values(static_cast<std::size_t>(layout_.size()), 0.0F);
    for (const Parameter& parameter : layout_.parameters()) {
        const std::span<float> mine = std::span(values).subspan(static_cast<std::size_t>(parameter.offset),
                                                                static_cast<std::size_t>(parameter.size()));
        if (parameter.initial != Initial::zero) fill_weight(parameter, random, mine);
    }
    backend_.copy_in(parameters_->values.data(), values.data(), values.size() * sizeof(float));
    refresh_operands();
}

void Vae::start_from(std::span<const double> mean) {
    require(static_cast<std::int64_t>(mean.size()) == features_, "there is a mean for each feature");
    for (const StartValues& start : likelihood_->start(mean)) {
        const Parameter& parameter = layout_.find(start.parameter);
        require(std::ssize(start.values) == parameter.size(), "a parameter starts as a whole");
        backend_.copy_in(parameters_->values.data() + parameter.offset, start.values.data(),
                         start.values.size() * sizeof(float));
    }
    refresh_operands();
}

}  // namespace vae_dist
