#pragma once

#include "vae_dist/comm/communicator.hpp"
#include "vae_dist/config/config.hpp"
#include "vae_dist/core/log.hpp"

namespace vae_dist {

/// Collective. Trains, or goes on with the run in output.directory from its newest complete checkpoint, until
/// the configured number of epochs or steps is done. Errors are thrown on all ranks: wrong configuration or
/// data, a changed configuration (naming the keys), a checkpoint that cannot be written, divergence.
void train(const Config& config, Communicator& communicator, const Log& log);

}  // namespace vae_dist
