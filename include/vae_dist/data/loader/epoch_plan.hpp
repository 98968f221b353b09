#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "vae_dist/core/random.hpp"
#include "vae_dist/data/rows/row_range.hpp"

namespace vae_dist {

// Which sample is visited by which virtual rank in which step: pure functions of the seed, the data's
// chunking and the number V of virtual ranks, never of the number of real ranks. An epoch visits every row
// exactly once.

std::int64_t total_rows(std::span<const RowRange> ranges);

struct EpochPlanOptions {
    std::uint32_t seed = 1;
    std::int64_t virtual_ranks = 1;
    std::int64_t shuffle_window = 65536;  ///< samples held to shuffle, over all virtual ranks
    bool shuffle = true;
};

/// The shards: the data's blocks (ranges that are read whole, because a chunk of the file is) permuted once
/// by the seed and cut into V contiguous shards whose sizes differ by at most one sample. Without shuffling
/// the blocks keep their order, the pieces of a shard theirs, and the rows theirs.
class EpochPlan {
 public:
    /// `blocks` in row order, none empty, covering [0, samples) without gaps. Throws an input error if there
    /// are fewer samples than virtual ranks.
    EpochPlan(std::vector<RowRange> blocks, const EpochPlanOptions& options);

    std::int64_t samples() const { return samples_; }
    std::int64_t virtual_ranks() const { return options_.virtual_ranks; }
    const EpochPlanOptions& options() const { return options_; }

    /// The pieces that make up the shard of virtual rank v; at most the first and the last are parts of a
    /// block.
    std::span<const RowRange> shard(std::int64_t v) const;
    std::int64_t shard_samples(std::int64_t v) const;

    /// No window of shard v has more samples than this, in any epoch: shuffle_window / V, or the largest
    /// piece.
    std::int64_t largest_window(std::int64_t v) const;

    /// The pieces of shard v in the order of `epoch`, gathered into windows of whole pieces: each window
    /// holds at least one piece, and else no more pieces than fit into shuffle_window / V samples.
    std::vector<std::vector<RowRange>> windows(std::int64_t v, std::int64_t epoch) const;

    /// The rows of one window in the order in which they are visited; `pieces` as `windows` gave them.
    std::vector<std::int64_t> window_order(std::int64_t v, std::int64_t epoch, std::int64_t window,
                                           std::span<const RowRange> pieces) const;

 private:
    EpochPlanOptions options_;
    std::int64_t samples_ = 0;
    std::vector<std::vector<RowRange>> shards_;
};

/// How many samples virtual rank v of V has visited once `visited` samples of the epoch were dealt out in
/// turn, like cards: the slices of any batch differ by at most one sample, and all shards end together.
constexpr std::int64_t dealt_to(std::int64_t visited, std::int64_t v, std::int64_t virtual_ranks) {
    return (visited + virtual_ranks - 1 - v) / virtual_ranks;
}

/// The contiguous block of virtual ranks that a real rank runs.
struct VirtualRankRange {
    std::int64_t first = 0;
    std::int64_t count = 0;
};
/// Blocks differ by at most one in size, the larger ones first; empty for the last ranks where size > V.
VirtualRankRange virtual_ranks_of(int rank, int size, std::int64_t virtual_ranks);

/// Steps in an epoch; the last one may be smaller.
constexpr std::int64_t steps_per_epoch(std::int64_t samples, std::int64_t batch_size) {
    return (samples + batch_size - 1) / batch_size;
}

}  // namespace vae_dist
