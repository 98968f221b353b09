#include "vae_dist/data/rows/row_sample.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <set>
#include <vector>

#include "data/rows/value_check.hpp"
#include "vae_dist/core/text.hpp"

namespace vae_dist {

namespace {

// Places in the source's blocks: the first of each file, then those that are spread over the data.
std::vector<std::size_t> blocks_to_look_at(const RowSource& source, std::int64_t most_bytes) {
    const std::vector<RowRange>& blocks = source.blocks();
    std::vector<std::size_t> chosen;
    for (const RowRange& file : source.file_rows()) {
        const auto first =
            std::lower_bound(blocks.begin(), blocks.end(), file.first,
                             [](const RowRange& block, std::int64_t row) { return block.first < row; });
        chosen.push_back(static_cast<std::size_t>(first - blocks.begin()));
    }
    const std::set<std::size_t> first_of_file(chosen.begin(), chosen.end());
    const auto row_bytes = static_cast<std::int64_t>(source.row_bytes());
    const std::int64_t most_rows = std::max<std::int64_t>(1, most_bytes / row_bytes);
    const auto all = static_cast<std::int64_t>(blocks.size());
    const std::int64_t rows_of_block = (source.rows() + all - 1) / all;
    const std::int64_t count = std::min(all, most_rows / rows_of_block);
    for (std::int64_t i = 0; i < count; ++i) {
        const auto block = static_cast<std::size_t>(count == all ? i : i * all / count);
        if (!first_of_file.contains(block)) chosen.push_back(block);
    }
    return chosen;
}

void look_at(RowSource& source, const RowRange& block, double scale, const ValueCheck& check,
             LargeValues& large) {
    constexpr std::int64_t kBytesAtOnce = std::int64_t{1} << 20;
    const auto row_bytes = static_cast<std::int64_t>(source.row_bytes());
    const std::int64_t rows_at_once = std::max<std::int64_t>(1, kBytesAtOnce / row_bytes);
    std::vector<std::byte> raw;
    std::vector<std::int64_t> rows;
    for (std::int64_t first = block.first; first < block.end(); first += rows_at_once) {
        const std::int64_t count = std::min(rows_at_once, block.end() - first);
        raw.resize(static_cast<std::size_t>(count * row_bytes));
        source.read(first, count, raw.data());
        check.check(source, first, count, raw.data());
        rows.resize(static_cast<std::size_t>(count));
        std::iota(rows.begin(), rows.end(), first);
        large.look_at({.raw = raw, .rows = rows}, source, scale);
    }
}

}  // namespace

RowSample look_at_rows(RowSource& source, double scale, const ValueRange& allowed,
                       const RowSampleLimits& limits) {
    using Clock = std::chrono::steady_clock;
    const Clock::time_point end = Clock::now() + limits.time;
    const ValueCheck check(source, scale, allowed);
    const auto files = static_cast<std::int64_t>(source.file_rows().size());
    RowSample sample = {.of_rows = source.rows(),
                        .of_blocks = static_cast<std::int64_t>(source.blocks().size()),
                        .of_files = files,
                        .large = {}};
    for (const std::size_t place : blocks_to_look_at(source, limits.bytes)) {
        if (Clock::now() > end) break;
        const RowRange& block = source.blocks()[place];
        look_at(source, block, scale, check, sample.large);
        sample.rows += block.rows;
        ++sample.blocks;
        sample.files = std::min(sample.blocks, files);
    }
    return sample;
}

std::string RowSample::text() const {
    return fmt::format("{} of {}, in {} of {} and in {} of {}", format_count(rows), counted(of_rows, "row"),
                       format_count(blocks), counted(of_blocks, "block"), format_count(files),
                       counted(of_files, "file"));
}

}  // namespace vae_dist
