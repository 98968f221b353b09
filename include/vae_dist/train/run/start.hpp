#pragma once

#include <memory>
#include <optional>

#include "vae_dist/comm/communicator.hpp"
#include "vae_dist/comm/compute_choice.hpp"
#include "vae_dist/core/log.hpp"
#include "vae_dist/train/record/checkpoint.hpp"
#include "vae_dist/train/run/training_data.hpp"
#include "vae_dist/train/step/replica.hpp"

namespace vae_dist {

/// A replica ready to train, and what it was made with.
struct StartedReplica {
    ComputeChoice compute;
    std::unique_ptr<Backend> backend;
    InputStatistics statistics;
    std::unique_ptr<Replica> replica;
    DataIdentity data_identity;  ///< on rank 0
};

/// Collective. Builds this rank's replica: at its start, or as a checkpoint left it. Errors are thrown on all
/// ranks. Warns where ranks, or this run and the checkpoint, compute by other means, and so may differ in
/// last bits.
StartedReplica start_replica(const Config& config, const TrainingData& data,
                             const std::optional<Checkpoint>& resumed, Communicator& communicator,
                             const Log& log);

/// Collective. Warns on each rank whose program or processor is not rank 0's: libraries choose their code by
/// the processor they find.
void warn_where_ranks_differ(const Backend& backend, Communicator& communicator, const Log& log);

/// Copies the whole state of a run to `snapshot`, of a run that is not another's: its memory
/// is used again, and what does not change in a run is filled in the first time.
void take_snapshot(const Config& config, const TrainingData& data, const StartedReplica& started,
                   const Progress& progress, Checkpoint& snapshot);

}  // namespace vae_dist
