#include "infer/nonfinite_rows.hpp"

#include <algorithm>
#include <cmath>

#include "vae_dist/core/text.hpp"

namespace vae_dist {

void NonFiniteRows::look_at(std::int64_t first_row, std::span<const float> values, std::int64_t columns) {
    const auto width = static_cast<std::size_t>(columns);
    for (std::size_t at = 0; at < values.size(); at += width) {
        const auto row = values.subspan(at, width);
        if (std::ranges::all_of(row, [](float value) { return std::isfinite(value); })) continue;
        if (count_++ == 0) first_ = first_row + static_cast<std::int64_t>(at / width);
    }
}

void NonFiniteRows::warn(const std::string& data, const Log& log) const {
    if (count_ == 0) return;
    log.warn("{} of {} gave numbers that are not finite, the first of them row {}", counted(count_, "row"),
             data, first_);
}

}  // namespace vae_dist
