#include "data/inspect/value_summary.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <vector>

#include "vae_dist/core/shape.hpp"
#include "vae_dist/core/text.hpp"

namespace vae_dist {

std::optional<ValueSummary> summarise_values(const std::string& path, const std::string& dataset,
                                             const hdf5::DatasetInfo& info, std::span<const double> marks) {
    constexpr std::int64_t kMostValues = std::int64_t{1} << 20;
    constexpr std::size_t kMostLevels = 64;
    const std::int64_t row_values = element_count(std::span(info.shape).subspan(1));
    if (info.shape.front() == 0 || row_values == 0 || row_values > kMostValues) return std::nullopt;
    ValueSummary summary;
    summary.rows = std::min(info.shape.front(), kMostValues / row_values);
    summary.all_rows = summary.rows == info.shape.front();
    const std::vector<double> values = hdf5::RowReader(path, dataset).read_doubles(0, summary.rows);
    summary.values = static_cast<std::int64_t>(values.size());
    summary.lowest = std::numeric_limits<double>::infinity();
    summary.highest = -summary.lowest;
    double sum = 0;
    std::set<double> levels;
    for (std::size_t i = 0; i < values.size(); ++i) {
        const double value = values[i];
        summary.counts_up = summary.counts_up && (i == 0 || value == values[i - 1] + 1);
        if (std::find(marks.begin(), marks.end(), value) != marks.end()) ++summary.marks;
        if (!std::isfinite(value)) continue;
        ++summary.finite;
        summary.lowest = std::min(summary.lowest, value);
        summary.highest = std::max(summary.highest, value);
        summary.whole = summary.whole && value == std::floor(value);
        if (value == 0) ++summary.zeros;
        if (levels.size() <= kMostLevels) levels.insert(value);
        sum += value;
    }
    summary.levels = static_cast<std::int64_t>(levels.size());
    summary.mean = sum / static_cast<double>(std::max<std::int64_t>(summary.finite, 1));
    return summary;
}

std::string describe_values(const ValueSummary& summary) {
    const std::string which =
        summary.all_rows ? "" : fmt::format(" in the first {}", counted(summary.rows, "row"));
    std::string text = "no finite values" + which;
    if (summary.finite > 0) {
        text = fmt::format("values {:.6g} to {:.6g}, mean {:.6g}{}", summary.lowest, summary.highest,
                           summary.mean, which);
    }
    if (summary.finite < summary.values)
        text += fmt::format("; {} NaN or infinite", format_count(summary.values - summary.finite));
    return text;
}

}  // namespace vae_dist
