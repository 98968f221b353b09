#include "infer/data_units.hpp"

#include <algorithm>
#include <cmath>

#include "vae_dist/core/error.hpp"
#include "vae_dist/data/loader/input_pipeline.hpp"

namespace vae_dist {

DataUnits::DataUnits(const TrainedModel& model, double scale)
    : transform_(model.config().data.transform), scale_(scale) {
    if (transform_ == Transform::threshold) {
        throw_input_error(
            "{} was trained with data.transform threshold, which cannot be undone; leave out --units data",
            model.file());
    }
    if (transform_ != Transform::standardize) return;
    mean_ = model.checkpoint().statistics.value().mean;
    deviation_ = model.checkpoint().statistics.value().deviation;
}

void DataUnits::apply(std::span<float> samples) const {
    for (std::size_t i = 0; i < samples.size(); ++i) {
        double value = samples[i];
        if (transform_ == Transform::log1p) value = std::expm1(value);
        if (transform_ == Transform::standardize) {
            const std::size_t feature = i % mean_.size();
            value = value * deviation_[feature] + mean_[feature];
        }
        samples[i] = static_cast<float>(value / scale_);
    }
}

double scale_of_training(const TrainedModel& model, const std::optional<double>& given) {
    if (given) return *given;
    const DataConfig& config = model.config().data;
    const std::string& type = model.checkpoint().data_type;
    if (!config.scale && type.empty()) {
        throw_input_error(
            "{} does not record what numbers it was trained on, and with them what data.scale: auto meant; "
            "say "
            "with --scale by what they were multiplied",
            model.file());
    }
    return input_scale(config,
                       type == element_name(ElementType::uint8) ? ElementType::uint8 : ElementType::float32);
}

}  // namespace vae_dist
