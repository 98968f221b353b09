#include "infer/picture_units.hpp"

#include <algorithm>

#include "vae_dist/data/loader/input_pipeline.hpp"

namespace vae_dist {

PictureUnits::PictureUnits(const TrainedModel& model) {
    const DataConfig& data = model.config().data;
    const Support support = model.vae().likelihood().support();
    if (support.is_bounded()) {
        known_ = {support.lowest, support.highest};
    } else if (data.transform == Transform::standardize || data.transform == Transform::log1p) {
        data_units_.emplace(model, 1);  // the scale, a common factor, does not show
    } else if (model.checkpoint().data_type == element_name(ElementType::uint8)) {
        known_ = {0, static_cast<float>(255 * input_scale(data, ElementType::uint8))};
    }
}

void PictureUnits::apply(std::span<float> samples) const {
    if (data_units_) data_units_->apply(samples);
}

std::int64_t samples_shown(std::int64_t wanted, std::int64_t features) {
    constexpr std::int64_t kMostNumbers = std::int64_t{1} << 24;
    return std::clamp<std::int64_t>(kMostNumbers / features, 1, wanted);
}

}  // namespace vae_dist
