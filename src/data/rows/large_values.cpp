#include "vae_dist/data/large_values.hpp"

#include <cmath>

namespace vae_dist {

void LargeValues::look_at(const Slice& slice, ElementType type, double scale) {
    if (slice.rows.empty()) return;
    const std::size_t count = slice.raw.size() / element_bytes(type);
    const std::size_t features = count / slice.rows.size();
    with_type(type, [&]<class T>(T) {
        for (std::size_t i = 0; i < count; ++i) {
            const double magnitude =
                std::abs(static_cast<double>(element_at<T>(slice.raw.data(), i)) * scale);
            if (!std::isfinite(magnitude)) continue;
            if (magnitude > kLargestLikely) ++above_likely;
            const std::int64_t here = slice.rows[i / features];
            if (magnitude < largest || (magnitude == largest && here >= row)) continue;
            largest = magnitude;
            row = here;
        }
    });
    values += static_cast<std::int64_t>(count);
}

}  // namespace vae_dist
