#include "vae_dist/data/loader/input_pipeline.hpp"

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

InputPipeline::InputPipeline(const DataConfig& config, std::uint32_t seed, const RowSource& rows,
                             const InputStatistics& statistics, std::int64_t most_rows, Backend& backend)
    : backend_(backend), row_bytes_(rows.row_bytes()) {
    const std::vector<RowField> fields = rows.fields();
    require(statistics.samples.has_value() == (config.transform == Transform::standardize),
            "standardize, and nothing else, needs the features' statistics");
    require(statistics.conditions.size() + 1 == fields.size(), "every condition has its statistics");
    add_field(fields.front(),
              {.scale = input_scale(config, fields.front().type),
               .kind = config.transform,
               .random = CounterRandom(seed, Purpose::binarize)},
              statistics.samples ? &*statistics.samples : nullptr, most_rows);
    for (std::size_t i = 1; i < fields.size(); ++i)
        add_field(fields[i], {.kind = Transform::standardize}, &statistics.conditions[i - 1], most_rows);
    conditions_.resize(fields.size() - 1);
}

void InputPipeline::add_field(const RowField& field, const InputTransform& transform,
                              const FeatureStatistics* statistics, std::int64_t most_rows) {
    const std::int64_t columns = field.numbers();
    columns_.push_back(columns);
    FieldMemory& memory = memory_.emplace_back();
    memory.values = backend_.allocate(static_cast<std::size_t>(most_rows * columns) * sizeof(float));
    InputField& input = fields_.emplace_back();
    input = {.transform = transform, .type = field.type, .offset = field.offset};
    if (statistics == nullptr) return;
    require(std::ssize(statistics->mean) == columns && std::ssize(statistics->deviation) == columns,
            "there are statistics of every number of a field");
    std::vector<double> inverse;
    for (const double deviation : statistics->deviation)
        inverse.push_back(1 / deviation);
    const std::size_t bytes = inverse.size() * sizeof(double);
    memory.mean = backend_.allocate(bytes);
    memory.inverse_deviation = backend_.allocate(bytes);
    backend_.copy_in(memory.mean.as<double>(), statistics->mean.data(), bytes);
    backend_.copy_in(memory.inverse_deviation.as<double>(), inverse.data(), bytes);
    input.transform.mean = memory.mean.as<double>();
    input.transform.inverse_deviation = memory.inverse_deviation.as<double>();
}

ModelInput InputPipeline::load(const Slice& slice, std::uint32_t visit) {
    for (std::size_t i = 0; i < fields_.size(); ++i)
        fields_[i].output = {memory_[i].values.as<float>(), std::ssize(slice.rows), columns_[i]};
    backend_.load_input({.raw = slice.raw.data(), .row_bytes = row_bytes_, .numbers = slice.rows}, visit,
                        fields_);
    for (std::size_t i = 0; i < conditions_.size(); ++i)
        conditions_[i] = fields_[i + 1].output;
    return {.x = fields_.front().output, .conditions = conditions_};
}

std::int64_t InputPipeline::bytes(const RowSource& rows, std::int64_t most_rows) {
    std::int64_t numbers = 0;
    for (const RowField& field : rows.fields())
        numbers += field.numbers();
    return numbers * (most_rows * static_cast<std::int64_t>(sizeof(float)) +
                      2 * static_cast<std::int64_t>(sizeof(double)));
}

std::vector<float> standardized(std::span<const double> values, const FeatureStatistics& statistics) {
    require(values.size() == statistics.mean.size(), "a condition has so many numbers");
    std::vector<float> result;
    for (std::size_t i = 0; i < values.size(); ++i)
        result.push_back(
            static_cast<float>((values[i] - statistics.mean[i]) * (1 / statistics.deviation[i])));
    return result;
}

}  // namespace vae_dist
