#include "vae_dist/data/rows/large_values.hpp"

#include <cmath>

namespace vae_dist {

void LargeValues::look_at(const Slice& slice, const RowSource& source, double scale) {
    const std::size_t row_bytes = source.row_bytes();
    const auto features = static_cast<std::size_t>(source.features());
    with_type(source.element_type(), [&]<class T>(T) {
        for (std::size_t r = 0; r < slice.rows.size(); ++r) {
            const std::int64_t here = slice.rows[r];
            for (std::size_t i = 0; i < features; ++i) {
                const double magnitude =
                    std::abs(static_cast<double>(element_at<T>(slice.raw.data() + r * row_bytes, i)) * scale);
                if (!std::isfinite(magnitude)) continue;
                if (magnitude > kLargestLikely) ++above_likely;
                if (magnitude < largest || (magnitude == largest && here >= row)) continue;
                largest = magnitude;
                row = here;
            }
        }
    });
    values += static_cast<std::int64_t>(slice.rows.size() * features);
}

}  // namespace vae_dist
