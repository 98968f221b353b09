#include "vae_dist/data/feature_statistics.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "vae_dist/core/error.hpp"

namespace vae_dist {

namespace {

constexpr std::int64_t kMostBytes = std::int64_t{256} << 20;

// Running means and sums of squared differences from them (Welford, 1962): neither a large mean nor an
// extraordinary first row costs accuracy.
class Moments {
 public:
    explicit Moments(std::size_t features) : mean_(features), squares_(features) {}

    void add(std::span<const double> row) {
        ++rows_;
        const double weight = 1.0 / static_cast<double>(rows_);
        for (std::size_t d = 0; d < row.size(); ++d) {
            const double difference = row[d] - mean_[d];
            mean_[d] += difference * weight;
            squares_[d] += difference * (row[d] - mean_[d]);
        }
    }

    FeatureStatistics result() const {
        FeatureStatistics statistics{.mean = mean_, .deviation = {}, .rows = rows_};
        for (std::size_t d = 0; d < mean_.size(); ++d) {
            const double deviation = std::sqrt(squares_[d] / static_cast<double>(rows_));
            const double rounding = 2 * std::numeric_limits<double>::epsilon() * std::abs(mean_[d]);
            statistics.deviation.push_back(deviation > rounding ? deviation : 1.0);
        }
        return statistics;
    }

 private:
    std::vector<double> mean_;
    std::vector<double> squares_;
    std::int64_t rows_ = 0;
};

double transformed(double value, Transform transform) {
    if (transform == Transform::threshold) return value >= 0.5 ? 1 : 0;
    return transform == Transform::log1p ? std::log1p(value) : value;
}

// False if a value is no finite float.
bool read_row(ElementType type, const std::byte* raw, double scale, Transform transform,
              std::span<double> to) {
    return with_type(type, [&]<class T>(T) {
        int bad = 0;
        for (std::size_t d = 0; d < to.size(); ++d) {
            const double value = static_cast<double>(element_at<T>(raw, d)) * scale;
            to[d] = transformed(value, transform);
            bad |= std::isfinite(static_cast<float>(value)) && std::isfinite(to[d]) ? 0 : 1;
        }
        return bad == 0;
    });
}

// How many blocks to go on at a time, so that those looked at have at most kMostBytes together.
std::size_t block_stride(const RowSource& source) {
    const double bytes = static_cast<double>(source.rows()) * static_cast<double>(source.row_bytes());
    return std::max<std::size_t>(
        1, static_cast<std::size_t>(std::ceil(bytes / static_cast<double>(kMostBytes))));
}

}  // namespace

FeatureStatistics feature_statistics(RowSource& source, double scale, Transform transform) {
    const auto& blocks = source.blocks();
    std::vector<double> row(static_cast<std::size_t>(source.features()));
    std::vector<std::byte> raw;
    Moments moments(row.size());
    for (std::size_t b = 0; b < blocks.size(); b += block_stride(source)) {
        const RowRange block = blocks[b];
        raw.resize(static_cast<std::size_t>(block.rows) * source.row_bytes());
        source.read(block.first, block.rows, raw.data());
        for (std::int64_t r = 0; r < block.rows; ++r) {
            const std::byte* const from = raw.data() + static_cast<std::size_t>(r) * source.row_bytes();
            if (!read_row(source.element_type(), from, scale, transform, row)) {
                throw_input_error(
                    "{}: a value is not a finite number (NaN or infinity), which training cannot use",
                    source.locate(block.first + r));
            }
            moments.add(row);
        }
    }
    return moments.result();
}

}  // namespace vae_dist
