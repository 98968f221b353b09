#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include "vae_dist/config/config.hpp"
#include "vae_dist/core/background_queue.hpp"
#include "vae_dist/core/log.hpp"
#include "vae_dist/train/record/checkpoint.hpp"
#include "vae_dist/train/record/checkpoint_schedule.hpp"
#include "vae_dist/train/record/metrics.hpp"
#include "vae_dist/train/record/run_directory.hpp"

namespace vae_dist {

/// Everything that a run writes: its directory and metrics. Rank 0 alone has one. Lines and checkpoints are
/// written by a thread of its own, in the order in which they were given, so that a slow disk does not stop
/// training. A failure to write is ErrorKind::failure and names the newest complete checkpoint; it comes out
/// of `error`, `flush`, or the next call.
class RunRecorder {
 public:
    /// Opens the directory; see RunDirectory.
    RunRecorder(const OutputConfig& output, const Log& log);
    /// Waits until all is written.
    ~RunRecorder();

    std::optional<FoundCheckpoint> newest_checkpoint() { return directory_.newest_checkpoint(log_); }

    /// Begins to write, after `progress.step` steps: drops the lines that a run killed later than that left.
    /// Returns when done.
    void begin(const Config& config, const CheckpointSchedule& schedule, const Progress& progress);
    /// Whether the metrics, as they lie on disk, have the line of that step's checkpoint. Of the last step it
    /// tells a finished run from one that was saved before its last validation. Only reads; before `begin`.
    bool has_line_of_checkpoint(std::int64_t step) const;

    void train(const TrainMetrics& metrics);
    void validation(const ValidationMetrics& metrics);
    void skipped(std::int64_t step, std::int64_t epoch);

    /// Why a checkpoint is written, besides best.h5.
    enum class Occasion {
        none,
        scheduled,    ///< its line stands in the metrics
        end_of_run,   ///< its line says "final": true, and goes when the run is made longer
        unscheduled,  ///< by the clock or a signal: no line, or the metrics would depend on them
    };
    struct Save {
        bool as_best = false;
        Occasion occasion = Occasion::none;
    };
    /// Calls `copy` with memory that it fills with the state, of earlier such calls where there were any, and
    /// returns; then that is written, best.h5 first, and the line after the file is complete. Waits first
    /// where the one before is not yet written. The lines before a checkpoint are on disk before it is.
    /// `epoch` is the one that the line names.
    void save(const std::function<void(Checkpoint&)>& copy, std::int64_t epoch, Save save);
    /// Calls `copy` as `save` would, but writes nothing: a later save then finds its memory there and does
    /// not pause training to allocate it.
    void prepare_memory(const std::function<void(Checkpoint&)>& copy);
    /// Adds the line of a checkpoint that stands already, if a kill came between the two.
    void complete_line(std::int64_t step, std::int64_t epoch);

    /// Whether a checkpoint is being written.
    bool is_saving() const;
    /// Returns when all that was given is on disk.
    void flush();
    /// What went wrong in writing, if anything did; does not wait.
    std::exception_ptr error() const;

    /// Seconds. The pause is what `save` took of training: waiting and copying.
    struct SaveTimes {
        std::int64_t count = 0;
        double last_pause = 0;
        double longest_pause = 0;
        double all_pauses = 0;
        double longest_write = 0;  ///< from the copy to the file on disk
    };
    SaveTimes save_times() const;

 private:
    void post(std::function<void(MetricsLog&)> write_line);
    void write(std::int64_t epoch, Save save, double pause, std::chrono::steady_clock::time_point copied);

    const Log& log_;
    RunDirectory directory_;
    std::optional<CheckpointSchedule> schedule_;
    std::optional<MetricsLog> metrics_;
    Checkpoint snapshot_;  ///< what is being written, or was last
    std::atomic<bool> saving_{false};
    mutable std::mutex mutex_;
    SaveTimes times_;        ///< guarded by the mutex
    BackgroundQueue queue_;  ///< of jobs that use all of the above; nothing else does while there are some
};

}  // namespace vae_dist
