#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "vae_dist/core/files.hpp"
#include "vae_dist/train/training_step.hpp"

namespace vae_dist {

/// What one line of training metrics says. Means are per sample, over the samples since the last line.
struct TrainMetrics {
    std::int64_t step = 0;     ///< steps done
    std::int64_t epoch = 0;    ///< counted from 1
    std::int64_t samples = 0;  ///< visited since the beginning of the run
    ElboTerms mean;
    bool has_bound = false;  ///< the IWAE bound is one of the terms: training draws several times a sample
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
    ElboTerms mean;
    bool has_bound = false;  ///< as above
    bool final = false;      ///< made because the run ended here
    double samples_per_second = 0;
    double seconds = 0;
};

/// metrics.jsonl: one JSON object a line, appended and handed to the operating system line by line. Numbers
/// that are not finite become null. A line that stands there only because the run ended at its step has
/// "final": true; it goes when the run is made longer, so that a run's lines do not tell where it once ended.
class MetricsLog {
 public:
    /// Goes on with the file at `path`: lines of steps after `step`, a torn last line and, if the run goes
    /// on, final lines are taken out. Throws ErrorKind::failure if it cannot be written.
    MetricsLog(const std::filesystem::path& path, std::int64_t step, bool goes_on = true);

    void train(const TrainMetrics& metrics);
    void validation(const ValidationMetrics& metrics);
    void skipped(std::int64_t step, std::int64_t epoch);
    /// `file` is relative to the run's directory. Does nothing if the file already has this line, as after a
    /// kill between a checkpoint and its line.
    void checkpoint(std::int64_t step, std::int64_t epoch, const std::string& file, bool final = false);

    void flush_to_disk() { file_.flush_to_disk(); }

 private:
    LineFile file_;
    std::int64_t last_checkpoint_step_ = -1;
};

}  // namespace vae_dist
