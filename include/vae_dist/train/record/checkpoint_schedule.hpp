#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "vae_dist/config/config.hpp"

namespace vae_dist {

/// Which steps a run's checkpoints are written after by its configuration, whatever happens to the run, and
/// which of those written may go. Pure arithmetic. Checkpoints by the clock or a signal, and one at the end
/// of a run that ends between two scheduled ones, are unscheduled: they stand in until the next scheduled
/// one.
class CheckpointSchedule {
 public:
    CheckpointSchedule(const OutputConfig& output, std::int64_t steps_per_epoch, std::int64_t last_step);

    /// At the end of an epoch that is a multiple of checkpoint_every or keep_every; step 0 too, unless
    /// nothing is ever due.
    bool is_due(std::int64_t step) const;

    /// Those of `steps` (any order, each once) whose checkpoints may go once that of `newest` is complete,
    /// newest first. What stays: the newest `keep` of those that are due; after the last of them the newest
    /// `keep` of the others; every multiple of keep_every epochs but 0; and those later than `newest`, which
    /// are damaged and not ours to judge.
    std::vector<std::int64_t> superseded(const std::vector<std::int64_t>& steps, std::int64_t newest) const;

 private:
    std::int64_t checkpoint_every_;  ///< epochs; 0: never
    std::size_t keep_;
    std::int64_t keep_every_;  ///< epochs; 0: none
    std::int64_t steps_per_epoch_;
    std::int64_t last_step_;
};

}  // namespace vae_dist
