#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "train/record/shared_recorder.hpp"
#include "train/run/stop_request.hpp"
#include "vae_dist/data/rows/large_values.hpp"
#include "vae_dist/train/record/checkpoint_schedule.hpp"
#include "vae_dist/train/record/progress_display.hpp"
#include "vae_dist/train/run/start.hpp"
#include "vae_dist/train/run/trainer.hpp"
#include "vae_dist/train/run/training_data.hpp"
#include "vae_dist/train/run/validation.hpp"
#include "vae_dist/train/step/training_step.hpp"

namespace vae_dist {

/// A run from its (re)start to its end. Every rank has one and does the same; rank 0 alone has the files.
class Run {
 public:
    /// Collective. At its start, or as `resumed` left it.
    Run(const Config& config, std::unique_ptr<RunRecorder> recorder, const std::optional<Checkpoint>& resumed,
        StopRequest& stop_request, Communicator& communicator, const Log& log);

    /// Collective; once.
    TrainingEnd train();

 private:
    void begin();
    void take_steps();
    bool may_start() const;
    void start_step();
    void finish_step(const StepResult& result);
    void apply_nonfinite_policy(const StepResult& result);
    LargeValues large_values_of_step();
    void log_training(const StepResult& result);
    void show_progress(const StepResult& result);
    TrainMetrics metrics_of(const LogWindow& window, const StepResult& result) const;
    double seconds_left(double seconds) const;
    void close_step(bool save_asked);
    std::optional<bool> validate(bool final);
    void stop();
    void save(RunRecorder::Save save);
    StepWishes wishes();
    bool leave_before_first_step();
    std::function<void(Checkpoint&)> snapshot_copier() const {
        return [this](Checkpoint& to) { take_snapshot(config_, data_, started_, progress_, to); };
    }
    std::string pauses() const;

    std::int64_t total_steps() const { return data_.total_steps(); }
    bool at_epoch_end() const { return progress_.samples_in_epoch == 0; }
    bool is_last() const { return progress_.step == total_steps(); }
    /// Whether a validation is due `steps` steps from here.
    bool validation_is_due(std::int64_t steps = 0) const {
        const std::int64_t step = progress_.step + steps;
        const std::int64_t epoch = data_.steps_per_epoch();
        return validation_ && step % epoch == 0 && step / epoch % config_.output.validate_every == 0;
    }
    /// Whether there is one that far from here, if only because the run ends there.
    bool validation_comes(std::int64_t steps) const {
        return validation_is_due(steps) || (validation_ && progress_.step + steps == total_steps());
    }
    /// The epoch that the last step was in, counted from 1.
    std::int64_t epoch_number() const { return progress_.epoch + (at_epoch_end() ? 0 : 1); }
    std::int64_t samples_visited() const {
        return progress_.epoch * data_.plan().samples() + progress_.samples_in_epoch;
    }

    Config config_;
    Communicator& communicator_;
    const Log& log_;
    StopRequest& stop_request_;
    SharedRecorder recorder_;
    TrainingData data_;
    CheckpointSchedule schedule_;
    StartedReplica started_;
    Replica& replica_;
    std::optional<Validation> validation_;
    std::unique_ptr<BatchLoader> loader_;
    std::unique_ptr<TrainingStep> step_;
    ProgressDisplay display_;
    Progress progress_;
    std::int64_t under_way_ = 0;  ///< steps that were started and not finished
    StepWishes asked_;            ///< by steps since, and not done yet
    /// Of the parameters before the step that was started last, where ranks are to compare them.
    std::optional<std::uint32_t> checksum_;
    bool is_new_ = true;
    bool stopped_ = false;

    // By the clock: for people, and for checkpoint_every_minutes.
    std::chrono::steady_clock::time_point started_at_ = std::chrono::steady_clock::now();
    std::chrono::steady_clock::time_point saved_at_ = std::chrono::steady_clock::now();
    double last_log_seconds_ = 0;
    double pause_seconds_ = 0;  ///< validating and saving, since the last line
    std::int64_t samples_since_log_ = 0;
    std::int64_t first_step_ = 0;
};

}  // namespace vae_dist
