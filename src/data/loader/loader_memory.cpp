#include "data/loader/loader_memory.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>

#include "data/loader/resident_rows.hpp"
#include "vae_dist/core/error.hpp"
#include "vae_dist/core/text.hpp"

namespace vae_dist {
namespace {

constexpr std::int64_t kNoLimit = std::numeric_limits<std::int64_t>::max();

std::int64_t physical_memory() {
    const long pages = sysconf(_SC_PHYS_PAGES);
    const long page_bytes = sysconf(_SC_PAGESIZE);
    return pages > 0 && page_bytes > 0 ? std::int64_t{pages} * page_bytes : kNoLimit;
}

std::int64_t address_space_limit() {
    rlimit limit{};
    if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return kNoLimit;
    return static_cast<std::int64_t>(std::min<rlim_t>(limit.rlim_cur, static_cast<rlim_t>(kNoLimit)));
}

/// The least limit in the files called `name` in `folder` and the folders above it; "max" is none.
std::int64_t least_limit(const std::filesystem::path& root, std::filesystem::path folder, const char* name) {
    std::int64_t least = kNoLimit;
    while (true) {
        std::int64_t limit = 0;
        if (std::ifstream(root / folder.relative_path() / name) >> limit) least = std::min(least, limit);
        if (folder == folder.parent_path()) return least;
        folder = folder.parent_path();
    }
}

/// What the control groups of this process may use together, version 1 or 2 (man 7 cgroups).
std::int64_t control_group_limit() {
    std::int64_t least = kNoLimit;
    std::ifstream groups("/proc/self/cgroup");
    for (std::string line; std::getline(groups, line);) {
        const std::size_t first = line.find(':');
        const std::size_t second = line.find(':', first + 1);
        if (first == std::string::npos || second == std::string::npos) continue;
        const std::string controllers = line.substr(first + 1, second - first - 1);
        const std::string folder = line.substr(second + 1);
        if (controllers.empty()) {
            least = std::min(least, least_limit("/sys/fs/cgroup", folder, "memory.max"));
        } else if (controllers.find("memory") != std::string::npos) {
            least = std::min(least, least_limit("/sys/fs/cgroup/memory", folder, "memory.limit_in_bytes"));
        }
    }
    return least;
}

/// Memory that this process may have where it shares the machine with `ranks - 1` others like it.
std::int64_t memory_share(int ranks) {
    return std::min(std::min(physical_memory(), control_group_limit()) / ranks, address_space_limit());
}

}  // namespace

std::int64_t most_rows_of_a_batch(const EpochPlan& plan, const BatchLoaderOptions& options) {
    return options.mine.count *
           dealt_to(std::min(options.batch_size, plan.samples()), 0, plan.virtual_ranks());
}

std::int64_t batches_ahead(const EpochPlan& plan, const RowSource& source,
                           const BatchLoaderOptions& options) {
    const std::int64_t rows_of_mine = most_rows_of_a_batch(plan, options);
    if (options.cache != CacheMode::stream || rows_of_mine == 0) return options.batches_ahead;
    std::int64_t largest = 0;
    for (std::int64_t v = options.mine.first; v < options.mine.first + options.mine.count; ++v) {
        for (const RowRange& piece : plan.shard(v))
            largest = std::max(largest, piece.rows);
    }
    constexpr std::int64_t kMostBytes = std::int64_t{64} << 20;
    const std::int64_t batch_bytes = rows_of_mine * static_cast<std::int64_t>(source.row_bytes());
    const std::int64_t rows_of_one = rows_of_mine / options.mine.count;
    return options.batches_ahead + std::min(largest / rows_of_one, kMostBytes / batch_bytes);
}

std::int64_t loader_bytes(const EpochPlan& plan, const RowSource& source, const BatchLoaderOptions& options) {
    require(options.cache != CacheMode::automatic, "the loader's cache mode is decided");
    std::int64_t rows = 0;
    for (const RowRange& range : resident_ranges(plan, source.blocks(), options.mine, options.cache)) {
        rows += range.rows;
    }
    if (options.cache == CacheMode::stream) {
        for (std::int64_t v = options.mine.first; v < options.mine.first + options.mine.count; ++v) {
            rows += 2 * plan.largest_window(v);
        }
    }
    rows += (batches_ahead(plan, source, options) + 1) * most_rows_of_a_batch(plan, options);
    return rows * static_cast<std::int64_t>(source.row_bytes());
}

CacheMode choose_cache(CacheMode asked, const EpochPlan& plan, const RowSource& source,
                       const BatchLoaderOptions& options, int ranks_on_this_machine) {
    if (asked != CacheMode::automatic) return asked;
    BatchLoaderOptions kept = options;
    kept.cache = CacheMode::memory;
    const bool fits = loader_bytes(plan, source, kept) <= memory_share(ranks_on_this_machine) / 4;
    return fits ? CacheMode::memory : CacheMode::stream;
}

void refuse_what_cannot_fit(const EpochPlan& plan, const RowSource& source,
                            const BatchLoaderOptions& options) {
    const std::int64_t needed = loader_bytes(plan, source, options);
    const std::int64_t limit = memory_share(1);
    if (needed <= limit) return;
    const char* advice = options.cache == CacheMode::memory
                             ? "use data.cache: stream, or more ranks"
                             : "use a smaller data.shuffle_window, or more ranks";
    throw_failure("out of memory: reading {} needs {}, but this process may have only {}; {}",
                  source.description(), format_bytes(static_cast<std::uint64_t>(needed)),
                  format_bytes(static_cast<std::uint64_t>(limit)), advice);
}

}  // namespace vae_dist
