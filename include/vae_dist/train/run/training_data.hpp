#pragma once

#include <cstdint>
#include <memory>

#include "vae_dist/comm/communicator.hpp"
#include "vae_dist/config/config.hpp"
#include "vae_dist/data/loader/batch_loader.hpp"

namespace vae_dist {

/// The number of virtual ranks of a run: what the configuration says, or what its checkpoint has (`saved`, 0
/// for none), or the number of ranks. Throws an input error if there are more ranks, or fewer samples in a
/// batch, than virtual ranks.
std::int64_t resolve_virtual_ranks(const TrainConfig& config, std::int64_t saved, int ranks);

/// A checksum of all that a run depends on in its data but their numbers: samples, shape, element type, and
/// the blocks in which they are read.
std::int64_t data_fingerprint(const RowSource& data);

/// A run's training data as this rank sees them: all of the data's shape, the epoch plan, and the shards of
/// this rank's virtual ranks.
class TrainingData {
 public:
    /// Collective; `config.train.virtual_ranks` is set. An error on any rank is thrown on all.
    TrainingData(const Config& config, Communicator& communicator);

    RowSource& source() const { return *source_; }
    const EpochPlan& plan() const { return *plan_; }
    const VirtualRankRange& mine() const { return options_.mine; }
    CacheMode cache() const { return options_.cache; }
    int ranks_on_this_machine() const { return ranks_on_this_machine_; }

    std::int64_t steps_per_epoch() const;
    std::int64_t total_steps() const;
    std::int64_t total_epochs() const;
    /// Samples in the largest slice of a batch.
    std::int64_t slice_rows() const;
    /// Bytes that this rank's loader holds.
    std::int64_t loader_bytes() const;

    /// Reads on from after `first_sample` samples of `epoch`.
    std::unique_ptr<BatchLoader> start_loader(std::int64_t epoch, std::int64_t first_sample) const;

 private:
    Config config_;
    int ranks_on_this_machine_ = 1;
    std::unique_ptr<RowSource> source_;
    std::unique_ptr<EpochPlan> plan_;
    BatchLoaderOptions options_;
};

}  // namespace vae_dist
