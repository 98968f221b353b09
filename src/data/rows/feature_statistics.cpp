#include "vae_dist/data/rows/feature_statistics.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "data/rows/value_check.hpp"

namespace vae_dist {

namespace {

// Running means and sums of squared differences from them (Welford, 1962): neither a large mean nor an
// extraordinary first row costs accuracy.
class RunningMoments {
 public:
    explicit RunningMoments(std::size_t features) : mean_(features), squares_(features) {}

    void add(std::span<const double> row) {
        ++rows_;
        const double weight = 1.0 / static_cast<double>(rows_);
        for (std::size_t d = 0; d < row.size(); ++d) {
            const double difference = row[d] - mean_[d];
            mean_[d] += difference * weight;
            squares_[d] += difference * (row[d] - mean_[d]);
        }
    }

    FeatureStatistics result(double largest) const {
        FeatureStatistics statistics{.mean = mean_, .deviation = {}, .rows = rows_, .largest = largest};
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

// One row as it is counted; the largest of its scaled numbers.
double read_row(ElementType type, const std::byte* raw, double scale, Transform transform,
                std::span<double> to) {
    return with_type(type, [&]<class T>(T) {
        double largest = -std::numeric_limits<double>::infinity();
        for (std::size_t d = 0; d < to.size(); ++d) {
            const double value = static_cast<double>(element_at<T>(raw, d)) * scale;
            largest = std::max(largest, value);
            to[d] = transformed(value, transform);
        }
        return largest;
    });
}

// The rows to look at, in order.
std::vector<RowRange> sample_of(const RowSource& source, std::int64_t most_bytes) {
    const std::vector<RowRange>& blocks = source.blocks();
    const std::int64_t most_rows =
        std::max<std::int64_t>(1, most_bytes / static_cast<std::int64_t>(source.row_bytes()));
    if (source.rows() <= most_rows) return blocks;
    constexpr std::int64_t kMostBlocks = 4096;
    const std::int64_t all = std::ssize(blocks);
    const std::int64_t count = std::min({all, kMostBlocks, most_rows});
    std::vector<RowRange> sample;
    for (std::int64_t i = 0; i < count; ++i) {
        const RowRange& block = blocks[static_cast<std::size_t>(i * all / count)];
        sample.push_back({block.first, std::min(block.rows, most_rows / count)});
    }
    return sample;
}

}  // namespace

FeatureStatistics feature_statistics(RowSource& source, double scale, Transform transform,
                                     std::int64_t most_bytes) {
    constexpr std::size_t kBytesAtOnce = std::size_t{1} << 20;
    const std::size_t row_bytes = source.row_bytes();
    const auto rows_at_once = static_cast<std::int64_t>(std::max<std::size_t>(1, kBytesAtOnce / row_bytes));
    // What a likelihood needs besides is looked at as the data are read to train on.
    const ValueCheck allowed(source, scale, allowed_values(transform, Support()));
    std::vector<double> row(static_cast<std::size_t>(source.features()));
    std::vector<std::byte> raw;
    RunningMoments moments(row.size());
    double largest = -std::numeric_limits<double>::infinity();
    for (const RowRange& range : sample_of(source, most_bytes)) {
        for (std::int64_t first = range.first; first < range.end(); first += rows_at_once) {
            const std::int64_t count = std::min(rows_at_once, range.end() - first);
            raw.resize(static_cast<std::size_t>(count) * row_bytes);
            source.read(first, count, raw.data());
            allowed.check(source, first, count, raw.data());
            for (std::size_t at = 0; at < raw.size(); at += row_bytes) {
                largest = std::max(largest,
                                   read_row(source.element_type(), raw.data() + at, scale, transform, row));
                moments.add(row);
            }
        }
    }
    return moments.result(largest);
}

}  // namespace vae_dist
