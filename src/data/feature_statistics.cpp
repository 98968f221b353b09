#include "vae_dist/data/feature_statistics.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "vae_dist/core/error.hpp"

namespace vae_dist {

namespace {

constexpr std::int64_t kMostBytes = std::int64_t{256} << 20;

// Sums of the differences from the first row, so that large means cost no accuracy.
class Moments {
 public:
    explicit Moments(std::size_t features) : origin_(features), sum_(features), squares_(features) {}

    void add(std::span<const float> row) {
        if (rows_ == 0) std::copy(row.begin(), row.end(), origin_.begin());
        for (std::size_t d = 0; d < row.size(); ++d) {
            const double difference = static_cast<double>(row[d]) - origin_[d];
            sum_[d] += difference;
            squares_[d] += difference * difference;
        }
        ++rows_;
    }

    FeatureStatistics result() const {
        FeatureStatistics statistics;
        statistics.rows = rows_;
        const auto n = static_cast<double>(rows_);
        for (std::size_t d = 0; d < origin_.size(); ++d) {
            const double shift = sum_[d] / n;
            const double variance = std::max(0.0, squares_[d] / n - shift * shift);
            statistics.mean.push_back(static_cast<float>(origin_[d] + shift));
            statistics.deviation.push_back(variance > 0 ? static_cast<float>(std::sqrt(variance)) : 1.0F);
        }
        return statistics;
    }

 private:
    std::vector<double> origin_;
    std::vector<double> sum_;
    std::vector<double> squares_;
    std::int64_t rows_ = 0;
};

}  // namespace

FeatureStatistics feature_statistics(RowSource& source, Backend& backend, InputTransform transform) {
    if (transform.kind == Transform::standardize || transform.kind == Transform::binarize) {
        transform.kind = Transform::none;
    }
    const std::int64_t features = source.features();
    const auto& blocks = source.blocks();
    const auto total_bytes = static_cast<double>(source.rows()) * static_cast<double>(source.row_bytes());
    const auto every = static_cast<std::size_t>(std::ceil(total_bytes / static_cast<double>(kMostBytes)));
    Moments moments(static_cast<std::size_t>(features));
    std::vector<std::byte> raw;
    std::vector<std::int64_t> rows;
    Buffer converted;
    std::vector<float> values;
    for (std::size_t b = 0; b < blocks.size(); b += std::max<std::size_t>(every, 1)) {
        const RowRange block = blocks[b];
        raw.resize(static_cast<std::size_t>(block.rows) * source.row_bytes());
        source.read(block.first, block.rows, raw.data());
        rows.resize(static_cast<std::size_t>(block.rows));
        std::iota(rows.begin(), rows.end(), block.first);
        values.resize(static_cast<std::size_t>(block.rows * features));
        const std::size_t bytes = values.size() * sizeof(float);
        if (converted.bytes() < bytes) converted = backend.allocate(bytes);
        backend.load_input(transform, source.element_type(), raw.data(), rows, 0,
                           FloatMatrix(converted.as<float>(), block.rows, features));
        backend.copy_out(values.data(), converted.as<float>(), bytes);
        for (std::int64_t r = 0; r < block.rows; ++r) {
            const auto row = std::span(values).subspan(static_cast<std::size_t>(r * features),
                                                       static_cast<std::size_t>(features));
            if (!std::all_of(row.begin(), row.end(), [](float v) { return std::isfinite(v); })) {
                throw_input_error("{}: a value is not a finite number (NaN or infinity), which training cannot use",
                                  source.locate(block.first + r));
            }
            moments.add(row);
        }
    }
    return moments.result();
}

}  // namespace vae_dist
