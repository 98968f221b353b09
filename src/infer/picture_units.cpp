#include "infer/picture_units.hpp"

#include <algorithm>

namespace vae_dist {

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
