#pragma once

#include <chrono>
#include <string>

#include "vae_dist/comm/communicator.hpp"
#include "vae_dist/config/config.hpp"
#include "vae_dist/core/log.hpp"
#include "vae_dist/core/stop_signals.hpp"
#include "vae_dist/train/run/time_limit.hpp"

namespace vae_dist {

/// Requests to stop a run that reach this rank: a signal; on rank 0 also the time limit.
class StopRequest {
 public:
    StopRequest(const StopSignals& signals, TimeLimit::Clock::time_point start)
        : signals_(signals), start_(start) {}

    /// From here on the clock counts on rank 0: train.time_limit since the start, and the end of the batch
    /// system's job, which may take seconds to ask for.
    void heed_time_limit(const Config& config, Communicator& communicator, const Log& log);

    /// What the reckoning of the time limit is told; without effect on ranks other than 0.
    TimeLimit& time_limit() { return time_limit_; }

    bool by_signal() const { return signals_.received() != 0; }
    /// Whether the time is up too; see TimeLimit::is_reached.
    bool is_made(bool validation_is_next) const;

    /// Collective, after some rank's request. "SIGUSR1", "the time limit".
    std::string reason(Communicator& communicator) const;

 private:
    const StopSignals& signals_;
    TimeLimit::Clock::time_point start_;
    TimeLimit time_limit_{std::nullopt};
};

}  // namespace vae_dist
