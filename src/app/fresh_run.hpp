#pragma once

#include <string>
#include <vector>

#include "vae_dist/comm/communicator.hpp"
#include "vae_dist/core/log.hpp"
#include "vae_dist/train/run/start.hpp"
#include "vae_dist/train/run/training_data.hpp"

namespace vae_dist {

/// A run at its beginning, whatever its output.directory holds: what `check` looks at and `benchmark` runs.
struct FreshRun {
    /// Collective; errors are thrown on all ranks.
    FreshRun(const std::string& path, const std::vector<std::string>& overrides, Communicator& communicator,
             const Log& log);

    Config config;
    TrainingData data;
    StartedReplica started;
};

}  // namespace vae_dist
