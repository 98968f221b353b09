#pragma once

#include <optional>

#include "vae_dist/comm/communicator.hpp"
#include "vae_dist/core/log.hpp"
#include "vae_dist/train/run_recorder.hpp"

namespace vae_dist {

/// Collective. The newest complete checkpoint of the run, read by rank 0 (`recorder` is null elsewhere) and
/// handed to all.
std::optional<Checkpoint> load_newest_checkpoint(RunRecorder* recorder, Communicator& communicator,
                                                 const Log& log);

/// Throws an input error naming the keys in which the configuration differs from the checkpoint's, if the
/// result depends on them.
void require_same_configuration(const Config& config, const Checkpoint& checkpoint);

/// Throws an input error if the training data are not those the checkpoint was trained on, as far as their
/// shape tells.
void require_same_data(const RowSource& data, const Checkpoint& checkpoint);

}  // namespace vae_dist
