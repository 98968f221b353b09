#pragma once

#include <optional>

#include "vae_dist/comm/communicator.hpp"
#include "vae_dist/core/log.hpp"
#include "vae_dist/train/record/run_recorder.hpp"

namespace vae_dist {

/// Collective. The newest complete checkpoint of the run, read by rank 0 (`recorder` is null elsewhere) and
/// handed to all.
std::optional<Checkpoint> load_newest_checkpoint(RunRecorder* recorder, Communicator& communicator,
                                                 const Log& log);

/// Throws an input error naming the keys in which the configuration differs from the checkpoint's, if the
/// result depends on them.
void require_same_configuration(const Config& config, const Checkpoint& checkpoint);

/// Throws an input error if the data are not those the checkpoint was trained on: their names without
/// folders, shapes, types, blocks, and sampled rows (see DataIdentity); with a checkpoint that has no such
/// identity, the names in the configuration and the training data's shape, type and blocks. Says in a line
/// where they lie elsewhere. `train` is the training data, `identity` that of all.
void require_same_data(const Config& config, const RowSource& train, const DataIdentity& identity,
                       const Checkpoint& checkpoint, const Log& log);

}  // namespace vae_dist
