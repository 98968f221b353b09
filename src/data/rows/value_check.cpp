#include "data/rows/value_check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <type_traits>

#include "vae_dist/core/error.hpp"

namespace vae_dist {
namespace {

// As the backend computes the model's input.
template <class T>
float scaled(T raw, double scale) {
    return static_cast<float>(static_cast<double>(raw) * scale);
}

template <class T>
bool outside(T raw, double scale, const ValueRange& allowed) {
    const float value = scaled(raw, scale);
    return !(value >= allowed.lowest && value <= allowed.highest);  // NaN is outside
}

// Both loops run to the end, which lets the compiler make vector instructions of them.
template <class T>
bool any_outside(const T* raw, std::int64_t count, double scale, const ValueRange& allowed) {
    if constexpr (std::is_integral_v<T>) {
        // Scaling keeps or turns the order, so the extremes speak for all.
        T least = raw[0];
        T most = raw[0];
        for (std::int64_t i = 0; i < count; ++i) {
            least = std::min(least, raw[i]);
            most = std::max(most, raw[i]);
        }
        return outside(least, scale, allowed) || outside(most, scale, allowed);
    } else {
        std::int64_t found = 0;
        for (std::int64_t i = 0; i < count; ++i) {
            const float value = scaled(raw[i], scale);
            found +=
                static_cast<int>(!(value >= allowed.lowest)) | static_cast<int>(!(value <= allowed.highest));
        }
        return found > 0;
    }
}

template <class T>
std::string describe(T raw, double scale, const char* why) {
    const double value = static_cast<double>(raw) * scale;
    if (std::isnan(value)) return "not a number (NaN)";
    const std::string times = scale == 1 ? "" : fmt::format(" ({} times data.scale {})", raw, scale);
    if constexpr (std::is_floating_point_v<T>) {
        if (std::isinf(raw)) return fmt::format("an infinite value ({})", raw);
        return fmt::format("value {}{}; {}", scale == 1 ? raw : value, times, why);
    }
    return fmt::format("value {}{}; {}", value, times, why);
}

constexpr float kLargestFloat = std::numeric_limits<float>::max();

}  // namespace

ValueRange allowed_values(Transform transform, const Support& support) {
    static constexpr const char* kFinite =
        "training computes in float32, which cannot hold it; set data.scale to make the numbers smaller";
    switch (transform) {
        case Transform::none:
            if (!support.is_bounded()) break;
            return {support.lowest, support.highest, support.needs};
        case Transform::binarize:
            return {0, 1, "data.transform binarize needs probabilities, values in [0, 1]"};
        case Transform::log1p:
            return {std::nextafter(-1.0F, 0.0F), kLargestFloat, "data.transform log1p needs values above -1"};
        case Transform::threshold:
        case Transform::standardize:
            break;
    }
    return {-kLargestFloat, kLargestFloat, kFinite};
}

ValueCheck::ValueCheck(const RowSource& source, double scale, const ValueRange& allowed)
    : type_(source.element_type()),
      features_(source.features()),
      row_bytes_(source.row_bytes()),
      scale_(scale),
      allowed_(allowed) {
    always_inside_ = with_type(type_, [&]<class T>(T) {
        return std::is_integral_v<T> && !outside(std::numeric_limits<T>::min(), scale, allowed) &&
               !outside(std::numeric_limits<T>::max(), scale, allowed);
    });
}

void ValueCheck::check(const RowSource& source, std::int64_t first, std::int64_t count,
                       const std::byte* raw) const {
    if (always_inside_ || count == 0) return;
    with_type(type_, [&]<class T>(T) {
        // Without other fields all samples are one array.
        const bool apart = row_bytes_ != static_cast<std::size_t>(features_) * sizeof(T);
        const std::int64_t rows_at_once = apart ? 1 : count;
        for (std::int64_t r = 0; r < count; r += rows_at_once) {
            const T* values = reinterpret_cast<const T*>(raw + static_cast<std::size_t>(r) * row_bytes_);
            if (!any_outside(values, rows_at_once * features_, scale_, allowed_)) continue;
            std::int64_t at = 0;
            while (!outside(values[at], scale_, allowed_))
                ++at;
            throw_input_error("{}: {}", source.locate(first + r + at / features_),
                              describe(values[at], scale_, allowed_.why));
        }
    });
}

}  // namespace vae_dist
