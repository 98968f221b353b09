#include "infer/units.hpp"

#include <algorithm>
#include <cmath>

#include "vae_dist/core/error.hpp"
#include "vae_dist/data/input_pipeline.hpp"

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

const char* name_of(Units units) {
    return units == Units::data ? "data" : "model";
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

PictureUnits::PictureUnits(const TrainedModel& model)
    : bernoulli_(model.config().model.likelihood == LikelihoodKind::bernoulli) {
    const Transform transform = model.config().data.transform;
    if (bernoulli_ || (transform != Transform::standardize && transform != Transform::log1p)) return;
    data_units_.emplace(model, 1);  // the scale, a common factor, does not show
}

void PictureUnits::apply(std::span<float> samples) const {
    if (data_units_) data_units_->apply(samples);
}

std::int64_t samples_shown(std::int64_t wanted, std::int64_t features) {
    constexpr std::int64_t kMostNumbers = std::int64_t{1} << 24;
    return std::clamp<std::int64_t>(kMostNumbers / features, 1, wanted);
}

}  // namespace vae_dist
