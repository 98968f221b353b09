#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>

#include "vae_dist/core/files.hpp"
#include "vae_dist/train/step/training_step.hpp"

namespace vae_dist {

/// What one line of training metrics says. Means are per sample, over the samples since the last line.
struct TrainMetrics {
    std::int64_t step = 0;     ///< steps done
    std::int64_t epoch = 0;    ///< counted from 1
    std::int64_t samples = 0;  ///< visited since the beginning of the run
    TermValues mean = {};
    double beta = 0;
    double gradient_norm = 0;
    double learning_rate = 0;
    double samples_per_second = 0;
    double seconds = 0;  ///< since this process began to train
};

struct ValidationMetrics {
    std::int64_t step = 0;
    std::int64_t epoch = 0;
    std::int64_t samples = 0;  ///< validated
    TermValues mean = {};
    bool final = false;  ///< made because the run ended here
    double samples_per_second = 0;
    double seconds = 0;
};

struct CheckpointMetrics {
    std::int64_t step = 0;
    std::int64_t epoch = 0;
    std::string file;    ///< relative to the run's directory
    bool final = false;  ///< as above
    /// What the save took of training, and from then until the file was complete; NaN where a kill came
    /// between the file and its line.
    double pause_seconds = std::numeric_limits<double>::quiet_NaN();
    double write_seconds = std::numeric_limits<double>::quiet_NaN();
};

/// metrics.jsonl: one JSON object a line, appended and handed to the operating system line by line. Numbers
/// that are not finite become null. A line that stands there only because the run ended at its step has
/// "final": true; it goes when the run goes on, so that a run's lines do not tell where it once ended.
class MetricsLog {
 public:
    /// Goes on with the file at `path`: lines of steps after `step`, a torn last line and final lines are
    /// taken out; where the end of the step's epoch is pending (see Progress) the step's own lines of
    /// validation and checkpoint too, for they will come again. Throws ErrorKind::failure if it cannot be
    /// written.
    MetricsLog(const std::filesystem::path& path, std::int64_t step, bool epoch_end_pending = false);

    void train(const TrainMetrics& metrics);
    void validation(const ValidationMetrics& metrics);
    void skipped(std::int64_t step, std::int64_t epoch);
    /// Does nothing if the file already has the line of this step's checkpoint: whether it has depends on
    /// where a kill came.
    void checkpoint(const CheckpointMetrics& metrics);

    void flush_to_disk() { file_.flush_to_disk(); }

 private:
    LineFile file_;
    std::int64_t last_checkpoint_step_ = -1;
};

/// Whether the metrics at `path`, if there are any, have the line of that step's checkpoint.
bool has_line_of_checkpoint(const std::filesystem::path& path, std::int64_t step);

}  // namespace vae_dist
