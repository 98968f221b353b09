#pragma once

#include <cstdint>
#include <string>

#include "vae_dist/core/log.hpp"
#include "vae_dist/train/metrics.hpp"

namespace vae_dist {

/// What a person at the terminal sees of a run: one line that is rewritten, with a bar, where someone
/// watches; plain lines where the output goes to a file.
class ProgressDisplay {
 public:
    ProgressDisplay(const Log& log, std::int64_t total_steps, std::int64_t total_epochs);

    /// `seconds_left`: until the end of the run, at the present speed.
    void train(const TrainMetrics& metrics, double seconds_left);
    void validation(const ValidationMetrics& metrics, bool best);
    void message(const std::string& line);

 private:
    const Log& log_;
    bool watched_;
    std::int64_t total_steps_;
    std::int64_t total_epochs_;
};

}  // namespace vae_dist
