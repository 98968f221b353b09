#pragma once

#include "vae_dist/comm/communicator.hpp"
#include "vae_dist/config/config.hpp"
#include "vae_dist/core/log.hpp"
#include "vae_dist/core/stop_signals.hpp"

namespace vae_dist {

enum class TrainingEnd {
    finished,
    stopped,  ///< by a signal or a time limit; the state is saved, and the same call goes on
};

/// Collective. Trains, or goes on with the run in output.directory from its newest complete checkpoint, until
/// the configured number of epochs or steps is done, or one of
/// `signals` or train.time_limit stops
/// it. Throws for wrong configuration or data, a changed configuration (naming the keys), a file that cannot
/// be written (naming the newest complete checkpoint), divergence; an error of one rank alone is not
/// `on_all_ranks`, and has to end the job.
TrainingEnd train(const Config& config, const StopSignals& signals, Communicator& communicator,
                  const Log& log);

}  // namespace vae_dist
