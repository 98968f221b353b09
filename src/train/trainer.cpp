#include "vae_dist/train/trainer.hpp"

#include <chrono>
#include <cmath>
#include <memory>
#include <optional>
#include <utility>

#include "vae_dist/comm/agreement.hpp"
#include "vae_dist/core/error.hpp"
#include "vae_dist/core/text.hpp"
#include "vae_dist/train/progress_display.hpp"
#include "vae_dist/train/resume.hpp"
#include "vae_dist/train/run_recorder.hpp"
#include "vae_dist/train/start.hpp"
#include "vae_dist/train/training_data.hpp"
#include "vae_dist/train/training_step.hpp"
#include "vae_dist/train/validation.hpp"

namespace vae_dist {

namespace {

/// Steps in a row that on_nonfinite: skip may skip.
constexpr std::int64_t kMostSkipsInARow = 10;

double seconds_since(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// A run from its (re)start to its end. Every rank has one and does the same; rank 0 alone has the files.
class Run {
 public:
    /// Collective. `resumed` is let go once its state is taken over.
    Run(const Config& config, std::unique_ptr<RunRecorder> recorder, std::optional<Checkpoint> resumed,
        Communicator& communicator, const Log& log);

    void train();

 private:
    void finish_step(const StepResult& result);
    void apply_nonfinite_policy(const StepResult& result);
    void log_training(const StepResult& result);
    bool validate(bool final);
    void save(RunRecorder::Save save);

    std::int64_t total_steps() const { return data_.total_steps(); }
    /// Whether training maximises the IWAE bound rather than the ELBO.
    bool has_bound() const { return config_.objective.importance_samples > 1; }
    bool at_epoch_end() const { return progress_.samples_in_epoch == 0; }
    /// Whether the epoch that just ended is one of every `epochs`.
    bool is_due(std::int64_t epochs) const { return at_epoch_end() && progress_.epoch % epochs == 0; }
    /// The epoch that the last step was in, counted from 1.
    std::int64_t epoch_number() const { return progress_.epoch + (at_epoch_end() ? 0 : 1); }
    std::int64_t samples_visited() const {
        return progress_.epoch * data_.plan().samples() + progress_.samples_in_epoch;
    }

    Config config_;
    Communicator& communicator_;
    const Log& log_;
    std::unique_ptr<RunRecorder> recorder_;  ///< rank 0 only
    TrainingData data_;
    StartedReplica started_;
    Replica& replica_;
    std::optional<Validation> validation_;
    TrainingStep step_;
    ProgressDisplay display_;
    Progress progress_;
    bool is_new_ = true;

    // Speed, for people only.
    std::chrono::steady_clock::time_point started_at_ = std::chrono::steady_clock::now();
    double last_log_seconds_ = 0;
    double pause_seconds_ = 0;  ///< validating and saving, since the last line
    std::int64_t samples_since_log_ = 0;
    std::int64_t first_step_ = 0;
};

Run::Run(const Config& config, std::unique_ptr<RunRecorder> recorder, std::optional<Checkpoint> resumed,
         Communicator& communicator, const Log& log)
    : config_(config),
      communicator_(communicator),
      log_(log),
      recorder_(std::move(recorder)),
      data_(config, communicator),
      started_(start_replica(config, data_, resumed, communicator, log)),
      replica_(*started_.replica),
      step_(config, data_.total_steps(), replica_, communicator),
      display_(log, data_.total_steps(), data_.total_epochs()) {
    if (!resumed) return;
    is_new_ = false;
    progress_ = resumed->progress;
    first_step_ = progress_.step;
}

void Run::train() {
    if (progress_.step >= total_steps()) {
        run_on_first_rank(communicator_, [&] {
            recorder_->finish(progress_.step, epoch_number(), !is_due(config_.output.checkpoint_every));
        });
        log_.info("this run is finished: {} of {} steps done; see {}", progress_.step, total_steps(),
                  config_.output.directory);
        return;
    }
    std::unique_ptr<BatchLoader> loader;
    if (config_.data.validation) validation_.emplace(config_, data_, communicator_);
    run_together(communicator_,
                 [&] { loader = data_.start_loader(progress_.epoch, progress_.samples_in_epoch); });
    run_on_first_rank(communicator_, [&] {
        recorder_->begin(config_, progress_.step);
        if (!is_new_ && is_due(config_.output.checkpoint_every))
            recorder_->complete_line(progress_.step, epoch_number());
    });
    // The first one keeps what virtual_ranks: auto was, and shows early whether there is room.
    if (is_new_) save({.as_checkpoint = true});
    while (progress_.step < total_steps())
        finish_step(step_.run(*loader, progress_.step, progress_.updates));
    display_.message(fmt::format("done: {} steps in {}; checkpoints and metrics in {}", progress_.step,
                                 format_duration(seconds_since(started_at_)), config_.output.directory));
}

void Run::finish_step(const StepResult& result) {
    ++progress_.step;
    progress_.samples_in_epoch += result.samples;
    samples_since_log_ += result.samples;
    if (progress_.samples_in_epoch == data_.plan().samples()) {
        progress_.samples_in_epoch = 0;
        ++progress_.epoch;
    }
    apply_nonfinite_policy(result);
    if (progress_.step % config_.output.log_every == 0) log_training(result);

    // What happens only because the run ends here leaves no trace in a run that is made longer.
    const auto stepped = std::chrono::steady_clock::now();
    const bool last = progress_.step == total_steps();
    const bool validation_due = is_due(config_.output.validate_every);
    const bool checkpoint_due = is_due(config_.output.checkpoint_every);
    const bool best = validation_ && (validation_due || last) && validate(!validation_due);
    if (best || checkpoint_due || last) {
        save({.as_best = best, .as_checkpoint = checkpoint_due || last, .final = !checkpoint_due});
    }
    pause_seconds_ += seconds_since(stepped);
}

void Run::apply_nonfinite_policy(const StepResult& result) {
    if (result.applied) {
        const auto samples = static_cast<double>(result.samples);
        ++progress_.updates;
        progress_.nonfinite_in_a_row = 0;
        progress_.window.reconstruction += result.mean.reconstruction * samples;
        progress_.window.kl += result.mean.kl * samples;
        progress_.window.iwae_bound += result.mean.iwae_bound * samples;
        progress_.window.samples += result.samples;
        return;
    }
    ++progress_.nonfinite_in_a_row;
    const bool stop = config_.train.on_nonfinite == NonFinitePolicy::stop;
    if (stop || progress_.nonfinite_in_a_row > kMostSkipsInARow) {
        const char* const advice = progress_.updates == 0
                                       ? "the data are too large for the model as it starts: use "
                                         "data.transform: standardize, or data.scale"
                                       : "lower optimizer.learning_rate, set optimizer.clip_norm, or use "
                                         "data.transform: standardize";
        throw Error(
            ErrorKind::failure,
            fmt::format(
                "training diverged: in step {} a loss or gradient is not finite, or too large for the sum "
                "over all ranks{}; {}",
                progress_.step,
                stop ? "" : fmt::format(", for {} steps in a row", progress_.nonfinite_in_a_row), advice))
            .mark_on_all_ranks();
    }
    if (!recorder_) return;
    recorder_->skipped(progress_.step, epoch_number());
    log_.warn("step {}: a loss or gradient is not finite; the step is skipped", progress_.step);
}

void Run::log_training(const StepResult& result) {
    const LogWindow window = std::exchange(progress_.window, {});
    const double seconds = seconds_since(started_at_);
    const auto samples = static_cast<double>(window.samples);
    const TrainMetrics metrics = {.step = progress_.step,
                                  .epoch = epoch_number(),
                                  .samples = samples_visited(),
                                  .mean = {.reconstruction = window.reconstruction / samples,
                                           .kl = window.kl / samples,
                                           .iwae_bound = window.iwae_bound / samples},
                                  .has_bound = has_bound(),
                                  .beta = result.beta,
                                  .gradient_norm = result.applied ? result.gradient_norm : std::nan(""),
                                  .learning_rate = result.learning_rate,
                                  .samples_per_second = static_cast<double>(samples_since_log_) /
                                                        (seconds - last_log_seconds_ - pause_seconds_),
                                  .seconds = seconds};
    last_log_seconds_ = seconds;
    pause_seconds_ = 0;
    samples_since_log_ = 0;
    if (recorder_) recorder_->train(metrics);
    const double seconds_per_step = seconds / static_cast<double>(progress_.step - first_step_);
    display_.train(metrics, seconds_per_step * static_cast<double>(total_steps() - progress_.step));
}

// Whether the model is the best so far; one that is looked at only because the run ends here does not count.
bool Run::validate(bool final) {
    const auto begun = std::chrono::steady_clock::now();
    ValidationMetrics metrics = {.step = progress_.step,
                                 .epoch = epoch_number(),
                                 .samples = validation_->samples(),
                                 .mean = validation_->run(replica_),
                                 .has_bound = has_bound(),
                                 .final = final};
    metrics.samples_per_second = static_cast<double>(metrics.samples) / seconds_since(begun);
    metrics.seconds = seconds_since(started_at_);
    const double elbo = metrics.mean.reconstruction - metrics.mean.kl;
    const double objective = has_bound() ? metrics.mean.iwae_bound : elbo;
    double& best_objective = has_bound() ? progress_.best_bound : progress_.best_elbo;
    const bool best = !final && !std::isnan(objective) && !(objective <= best_objective);
    if (!final) {
        progress_.validation_elbo = elbo;
        if (has_bound()) progress_.validation_bound = objective;
    }
    if (best) best_objective = objective;
    if (recorder_) recorder_->validation(metrics);
    display_.validation(metrics, best);
    return best;
}

void Run::save(RunRecorder::Save save) {
    run_on_first_rank(communicator_, [&] {
        recorder_->save(snapshot(config_, data_, started_, progress_), epoch_number(), save);
    });
}

}  // namespace

void train(const Config& asked, Communicator& communicator, const Log& log) {
    std::unique_ptr<RunRecorder> recorder;
    run_on_first_rank(communicator, [&] { recorder = std::make_unique<RunRecorder>(asked.output, log); });
    std::optional<Checkpoint> resumed = load_newest_checkpoint(recorder.get(), communicator, log);
    Config config = asked;
    run_together(communicator, [&] {
        const std::int64_t saved = resumed ? resumed->config.train.virtual_ranks.value() : 0;
        config.train.virtual_ranks = resolve_virtual_ranks(asked.train, saved, communicator.size());
        if (resumed) require_same_configuration(config, *resumed);
    });
    require_same_on_all_ranks(config, communicator);
    Run(config, std::move(recorder), std::move(resumed), communicator, log).train();
}

}  // namespace vae_dist
