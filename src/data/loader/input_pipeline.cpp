#include "vae_dist/data/input_pipeline.hpp"

#include <fmt/format.h>

#include <cmath>
#include <vector>

#include "vae_dist/core/error.hpp"

namespace vae_dist {

double input_scale(const DataConfig& config, ElementType type) {
    return config.scale.value_or(type == ElementType::uint8 ? 1.0 / 255.0 : 1.0);
}

std::string doubt_about_scale(const DataConfig& config, ElementType type,
                              const FeatureStatistics& statistics) {
    if (config.scale || type != ElementType::uint8 || config.transform == Transform::standardize) return "";
    constexpr double kMostInDoubt = 16;
    const double largest = std::round(statistics.largest / input_scale(config, type));
    if (largest == 0 || largest > kMostInDoubt) return "";
    return fmt::format(
        "the data go from 0 to {0}, and data.scale: auto divides them by 255; for numbers from 0 to {0} set "
        "data.scale: {1}",
        largest, 1 / largest);
}

InputPipeline::InputPipeline(const DataConfig& config, std::uint32_t seed, ElementType type,
                             std::int64_t features, const std::optional<FeatureStatistics>& statistics,
                             std::int64_t rows, Backend& backend)
    : backend_(backend),
      type_(type),
      features_(features),
      input_(backend.allocate(static_cast<std::size_t>(rows * features) * sizeof(float))),
      transform_{.scale = input_scale(config, type),
                 .kind = config.transform,
                 .random = CounterRandom(seed, Purpose::binarize)} {
    require(statistics.has_value() == (config.transform == Transform::standardize),
            "standardize, and nothing else, needs the features' statistics");
    if (!statistics) return;
    const std::size_t bytes = static_cast<std::size_t>(features) * sizeof(double);
    std::vector<double> inverse;
    for (const double deviation : statistics->deviation)
        inverse.push_back(1 / deviation);
    mean_ = backend.allocate(bytes);
    inverse_deviation_ = backend.allocate(bytes);
    backend.copy_in(mean_.as<double>(), statistics->mean.data(), bytes);
    backend.copy_in(inverse_deviation_.as<double>(), inverse.data(), bytes);
    transform_.mean = mean_.as<double>();
    transform_.inverse_deviation = inverse_deviation_.as<double>();
}

ConstFloatMatrix InputPipeline::load(const Slice& slice, std::uint32_t visit) {
    const FloatMatrix input(input_.as<float>(), static_cast<std::int64_t>(slice.rows.size()), features_);
    backend_.load_input(transform_, type_, slice.raw.data(), slice.rows, visit, input);
    return input;
}

}  // namespace vae_dist
