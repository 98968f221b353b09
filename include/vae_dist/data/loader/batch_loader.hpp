#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <vector>

#include "vae_dist/data/loader/epoch_plan.hpp"
#include "vae_dist/data/rows/row_source.hpp"
#include "vae_dist/data/rows/slice.hpp"
#include "vae_dist/data/rows/value_range.hpp"

namespace vae_dist {

struct Batch {
    std::int64_t epoch = 0;
    std::int64_t first_sample = 0;  ///< how many samples of the epoch came before, over all virtual ranks
    std::int64_t samples = 0;       ///< in this batch, over all virtual ranks
    std::span<const Slice> slices;  ///< of this rank's virtual ranks, in order
    std::span<const Slice> passes;  ///< the same samples in the same order, cut by `add_passes`
};

/// Appends the passes of a slice: its parts of `rows` samples each, the last one of what is left. An empty
/// slice has none.
void add_passes(const Slice& slice, std::int64_t rows, std::vector<Slice>& to);

struct BatchLoaderOptions {
    VirtualRankRange mine;        ///< none: every batch has no slices
    std::int64_t batch_size = 1;  ///< over all virtual ranks
    /// The most rows of a pass; without it each slice is one pass.
    std::int64_t rows_a_pass = std::numeric_limits<std::int64_t>::max();
    CacheMode cache = CacheMode::memory;  ///< memory or stream (see choose_cache)
    double scale = 1;                     ///< only to check values
    ValueRange allowed{};
    int batches_ahead = 2;  ///< prepared by the reading thread, besides the one in use; a stream has more
};

/// What a loader's thread has done.
struct LoaderWork {
    std::int64_t batches = 0;
    std::int64_t samples = 0;  ///< in the slices of this rank
    double seconds = 0;        ///< at work: reading, inflating, checking, copying; not waiting for the user
};

/// Hands over batch after batch, epoch after epoch, read ahead by a thread. `memory` reads the shards of this
/// rank's virtual ranks once and keeps them in the file's own type. `stream` holds two shuffle windows of
/// each virtual rank: one is served while, in step with it, the next is read; and the blocks that two virtual
/// ranks of this rank share. Either way a chunk of a file is read at most once an epoch, and each value is
/// checked as it is read. A chunk is read at a stroke, whose time may be that of many steps: a stream
/// prepares as many more batches as a chunk has samples for, so that no step waits where the thread, in the
/// mean, keeps up.
class BatchLoader {
 public:
    /// Starts at the batch that begins after `first_sample` samples of `epoch`: a multiple of the batch size,
    /// or all samples, which is the start of the next epoch. `plan` was made of the source's blocks and must
    /// outlive the loader. Reads what stays in memory before it returns, and throws the errors of that: wrong
    /// values, a failed read, too little memory.
    BatchLoader(std::unique_ptr<RowSource> source, const EpochPlan& plan, const BatchLoaderOptions& options,
                std::int64_t epoch, std::int64_t first_sample);
    ~BatchLoader();
    BatchLoader(const BatchLoader&) = delete;
    BatchLoader& operator=(const BatchLoader&) = delete;

    /// The next batch; its memory is valid until the next call. Throws an error of the reading thread at the
    /// first batch that needs the window in question, and at every call after that.
    const Batch& next();

    /// The batch that `next` gave last, still valid; without slices where it gave none.
    Batch current() const;

    /// What the reading thread has done since the start, without what was read before the constructor
    /// returned. The difference between two steps tells how fast the data could come at most.
    LoaderWork work() const;

 private:
    class Reader;
    std::unique_ptr<Reader> reader_;
};

/// Bytes that a loader with these options holds, at the most.
std::int64_t loader_bytes(const EpochPlan& plan, const RowSource& source, const BatchLoaderOptions& options);

/// `automatic` becomes memory where that takes at most a quarter of this rank's share of the machine's
/// memory, else stream; all else stays as it is. The share is the least of physical memory and control group
/// limit, each divided by the ranks on the machine, and the limit on this process's address space.
CacheMode choose_cache(CacheMode asked, const EpochPlan& plan, const RowSource& source,
                       const BatchLoaderOptions& options, int ranks_on_this_machine);

}  // namespace vae_dist
