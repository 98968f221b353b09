#include "vae_dist/data/loader/epoch_plan.hpp"

#include <algorithm>
#include <numeric>

#include "vae_dist/core/error.hpp"
#include "vae_dist/core/text.hpp"

namespace vae_dist {

std::int64_t total_rows(std::span<const RowRange> ranges) {
    return std::accumulate(ranges.begin(), ranges.end(), std::int64_t{0},
                           [](std::int64_t sum, const RowRange& range) { return sum + range.rows; });
}

namespace {

/// The number of samples that `blocks` cover without a gap.
std::int64_t covered_samples(std::span<const RowRange> blocks) {
    std::int64_t end = 0;
    for (const RowRange& block : blocks) {
        require(block.first == end && block.rows > 0, "blocks cover the data in order, and none is empty");
        end = block.end();
    }
    return end;
}

/// Cuts `blocks`, in their order, into V shards; shard v holds all samples that are dealt to v.
std::vector<std::vector<RowRange>> cut(std::span<const RowRange> blocks, std::int64_t samples,
                                       std::int64_t virtual_ranks) {
    std::vector<std::vector<RowRange>> shards(static_cast<std::size_t>(virtual_ranks));
    std::int64_t v = 0;
    std::int64_t room = dealt_to(samples, v, virtual_ranks);
    for (RowRange rest : blocks) {
        while (rest.rows > 0) {
            if (room == 0) room = dealt_to(samples, ++v, virtual_ranks);
            const std::int64_t rows = std::min(rest.rows, room);
            shards[static_cast<std::size_t>(v)].push_back({rest.first, rows});
            rest = {rest.first + rows, rest.rows - rows};
            room -= rows;
        }
    }
    return shards;
}

}  // namespace

EpochPlan::EpochPlan(std::vector<RowRange> blocks, const EpochPlanOptions& options)
    : options_(options), samples_(covered_samples(blocks)) {
    require(options.virtual_ranks > 0 && options.shuffle_window > 0,
            "virtual_ranks and shuffle_window are positive");
    if (samples_ < options.virtual_ranks) {
        throw_input_error("the data have {}, fewer than the {} virtual ranks; each needs at least one",
                          counted(samples_, "sample"), options.virtual_ranks);
    }
    if (options.shuffle) {
        CounterRandom(options.seed, Purpose::shard_order).shuffle(std::span(blocks), 0, 0);
    }
    shards_ = cut(blocks, samples_, options.virtual_ranks);
}

std::span<const RowRange> EpochPlan::shard(std::int64_t v) const {
    require(v >= 0 && v < options_.virtual_ranks, "a virtual rank is less than their number");
    return shards_[static_cast<std::size_t>(v)];
}

std::int64_t EpochPlan::shard_samples(std::int64_t v) const {
    return dealt_to(samples_, v, options_.virtual_ranks);
}

std::int64_t EpochPlan::largest_window(std::int64_t v) const {
    std::int64_t largest = options_.shuffle_window / options_.virtual_ranks;
    for (const RowRange& piece : shard(v))
        largest = std::max(largest, piece.rows);
    return std::min(largest, shard_samples(v));
}

std::vector<std::vector<RowRange>> EpochPlan::windows(std::int64_t v, std::int64_t epoch) const {
    const std::span<const RowRange> kept_order = shard(v);
    std::vector<RowRange> pieces(kept_order.begin(), kept_order.end());
    if (options_.shuffle) {
        CounterRandom(options_.seed, Purpose::epoch_order)
            .shuffle(std::span(pieces), static_cast<std::uint32_t>(epoch), static_cast<std::uint64_t>(v));
    }
    const std::int64_t most = options_.shuffle_window / options_.virtual_ranks;
    std::vector<std::vector<RowRange>> windows;
    std::int64_t held = 0;
    for (const RowRange& piece : pieces) {
        if (windows.empty() || held + piece.rows > most) {
            windows.emplace_back();
            held = 0;
        }
        windows.back().push_back(piece);
        held += piece.rows;
    }
    return windows;
}

std::vector<std::int64_t> EpochPlan::window_order(std::int64_t v, std::int64_t epoch, std::int64_t window,
                                                  std::span<const RowRange> pieces) const {
    std::vector<std::int64_t> rows(static_cast<std::size_t>(total_rows(pieces)));
    auto next = rows.begin();
    for (const RowRange& piece : pieces) {
        std::iota(next, next + piece.rows, piece.first);
        next += piece.rows;
    }
    if (options_.shuffle) {
        const std::uint64_t name = (static_cast<std::uint64_t>(v) << 32) + static_cast<std::uint64_t>(window);
        CounterRandom(options_.seed, Purpose::window_order)
            .shuffle(std::span(rows), static_cast<std::uint32_t>(epoch), name);
    }
    return rows;
}

VirtualRankRange virtual_ranks_of(int rank, int size, std::int64_t virtual_ranks) {
    require(rank >= 0 && rank < size, "a rank is less than their number");
    const std::int64_t smaller = virtual_ranks / size;
    const std::int64_t larger_blocks = virtual_ranks % size;
    return {rank * smaller + std::min<std::int64_t>(rank, larger_blocks),
            smaller + (rank < larger_blocks ? 1 : 0)};
}

}  // namespace vae_dist
