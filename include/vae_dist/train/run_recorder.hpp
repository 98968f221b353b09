#pragma once

#include <optional>
#include <string>

#include "vae_dist/config/config.hpp"
#include "vae_dist/core/log.hpp"
#include "vae_dist/train/checkpoint.hpp"
#include "vae_dist/train/metrics.hpp"
#include "vae_dist/train/run_directory.hpp"

namespace vae_dist {

/// Everything that a run writes: its directory and metrics. Rank 0 alone has one. A failure to write is
/// ErrorKind::failure and names the newest complete checkpoint.
class RunRecorder {
 public:
    /// Opens the directory; see RunDirectory.
    RunRecorder(const OutputConfig& output, const Log& log);

    std::optional<FoundCheckpoint> newest_checkpoint() { return directory_.newest_checkpoint(log_); }

    /// Begins to write, after `step` steps.
    void begin(const Config& config, std::int64_t step);
    /// Of a run that has nothing left to do after `step` steps: adds the line of its last checkpoint, if a
    /// kill came between the two.
    void finish(std::int64_t step, std::int64_t epoch, bool final);

    void train(const TrainMetrics& metrics);
    void validation(const ValidationMetrics& metrics);
    void skipped(std::int64_t step, std::int64_t epoch);

    struct Save {
        bool as_best = false;
        bool as_checkpoint = false;
        bool final = false;  ///< a checkpoint only because the run ends here
    };
    /// Writes the checkpoint and its line. `epoch` is the one that the line names.
    void save(const Checkpoint& checkpoint, std::int64_t epoch, Save save);
    /// Adds the line of a checkpoint that stands already, if a kill came between the two.
    void complete_line(std::int64_t step, std::int64_t epoch);

 private:
    OutputConfig output_;
    const Log& log_;
    RunDirectory directory_;
    std::optional<MetricsLog> metrics_;
};

}  // namespace vae_dist
