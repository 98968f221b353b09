#include "vae_dist/train/trainer.hpp"

#include <chrono>
#include <cmath>
#include <memory>
#include <optional>
#include <utility>

#include "vae_dist/comm/agreement.hpp"
#include "vae_dist/config/load.hpp"
#include "vae_dist/core/error.hpp"
#include "vae_dist/core/text.hpp"
#include "vae_dist/train/metrics.hpp"
#include "vae_dist/train/progress_display.hpp"
#include "vae_dist/train/resume.hpp"
#include "vae_dist/train/run_directory.hpp"
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
    Run(const Config& config, std::unique_ptr<RunDirectory> directory,
        const std::optional<Checkpoint>& resumed, Communicator& communicator, const Log& log);

    void train();

 private:
    void finish_step(const StepResult& result);
    void apply_nonfinite_policy(const StepResult& result);
    void log_training(const StepResult& result);
    void finish_epoch();
    void validate();
    void save();
    bool at_epoch_end() const { return progress_.samples_in_epoch == 0; }
    /// The epoch that the last step was in, counted from 1.
    std::int64_t epoch_number() const { return progress_.epoch + (at_epoch_end() ? 0 : 1); }
    std::int64_t samples_visited() const {
        return progress_.epoch * data_.plan().samples() + progress_.samples_in_epoch;
    }

    Config config_;
    Communicator& communicator_;
    const Log& log_;
    std::unique_ptr<RunDirectory> directory_;  ///< rank 0 only
    std::optional<MetricsLog> metrics_;        ///< rank 0 only
    TrainingData data_;
    StartedReplica started_;
    Replica& replica_;
    std::optional<Validation> validation_;
    TrainingStep step_;
    ProgressDisplay display_;
    Progress progress_;
    std::int64_t validated_step_ = -1;
    std::int64_t saved_step_ = -1;

    // Speed, for people only.
    std::chrono::steady_clock::time_point started_at_ = std::chrono::steady_clock::now();
    double last_log_seconds_ = 0;
    std::int64_t samples_since_log_ = 0;
    std::int64_t first_step_ = 0;
};

Run::Run(const Config& config, std::unique_ptr<RunDirectory> directory,
         const std::optional<Checkpoint>& resumed, Communicator& communicator, const Log& log)
    : config_(config),
      communicator_(communicator),
      log_(log),
      directory_(std::move(directory)),
      data_(config, communicator),
      started_(start_replica(config, data_, resumed, communicator)),
      replica_(*started_.replica),
      step_(config, data_.total_steps(), replica_, communicator),
      display_(log, data_.total_steps(), data_.total_epochs()) {
    if (resumed) progress_ = resumed->progress;
    first_step_ = progress_.step;
    run_together(communicator, [&] {
        if (!config.data.validation) return;
        validation_.emplace(config_, open_validation_rows(config_, data_.source()), data_.mine(),
                            data_.ranks_on_this_machine(), communicator_);
    });
    run_on_first_rank(communicator, [&] {
        directory_->write_config(to_yaml(config_));
        metrics_.emplace(directory_->metrics_path(), progress_.step);
        if (resumed) {
            metrics_->checkpoint(progress_.step, epoch_number(),
                                 "checkpoints/" + checkpoint_name(progress_.step));
        }
    });
}

void Run::train() {
    const std::int64_t total = data_.total_steps();
    if (progress_.step >= total) {
        log_.info("this run is finished: {} of {} steps done; see {}", progress_.step, total,
                  config_.output.directory);
        return;
    }
    std::unique_ptr<BatchLoader> loader;
    run_together(communicator_,
                 [&] { loader = data_.start_loader(progress_.epoch, progress_.samples_in_epoch); });
    while (progress_.step < total)
        finish_step(step_.run(*loader, progress_.step, progress_.updates));
    if (validation_ && validated_step_ != progress_.step) validate();
    if (saved_step_ != progress_.step) save();
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
    if (at_epoch_end()) finish_epoch();
}

void Run::apply_nonfinite_policy(const StepResult& result) {
    if (result.applied) {
        const auto samples = static_cast<double>(result.samples);
        ++progress_.updates;
        progress_.nonfinite_in_a_row = 0;
        progress_.window.reconstruction += result.mean.reconstruction * samples;
        progress_.window.kl += result.mean.kl * samples;
        progress_.window.samples += result.samples;
        return;
    }
    ++progress_.nonfinite_in_a_row;
    const bool stop = config_.train.on_nonfinite == NonFinitePolicy::stop;
    if (stop || progress_.nonfinite_in_a_row > kMostSkipsInARow) {
        throw Error(
            ErrorKind::failure,
            fmt::format(
                "training diverged: in step {} a loss or gradient is not finite, or too large for the exact "
                "sum{}; lower optimizer.learning_rate, set optimizer.clip_norm, or scale the data "
                "(data.scale, data.transform: standardize)",
                progress_.step,
                stop ? "" : fmt::format(", for {} steps in a row", progress_.nonfinite_in_a_row)))
            .mark_on_all_ranks();
    }
    if (metrics_) metrics_->skipped(progress_.step, epoch_number());
    if (communicator_.rank() == 0) {
        log_.warn("step {}: a loss or gradient is not finite; the step is skipped", progress_.step);
    }
}

void Run::log_training(const StepResult& result) {
    const LogWindow window = std::exchange(progress_.window, {});
    const double seconds = seconds_since(started_at_);
    const auto samples = static_cast<double>(window.samples);
    const TrainMetrics metrics = {
        .step = progress_.step,
        .epoch = epoch_number(),
        .samples = samples_visited(),
        .mean = {.reconstruction = window.reconstruction / samples, .kl = window.kl / samples},
        .beta = result.beta,
        .gradient_norm = result.applied ? result.gradient_norm : std::nan(""),
        .learning_rate = result.learning_rate,
        .samples_per_second = static_cast<double>(samples_since_log_) / (seconds - last_log_seconds_),
        .seconds = seconds};
    last_log_seconds_ = seconds;
    samples_since_log_ = 0;
    if (metrics_) metrics_->train(metrics);
    const double seconds_per_step = seconds / static_cast<double>(progress_.step - first_step_);
    display_.train(metrics, seconds_per_step * static_cast<double>(data_.total_steps() - progress_.step));
}

void Run::finish_epoch() {
    if (validation_ && progress_.epoch % config_.output.validate_every == 0) validate();
    if (progress_.epoch % config_.output.checkpoint_every == 0) save();
}

void Run::validate() {
    const auto begun = std::chrono::steady_clock::now();
    ValidationMetrics metrics = {.step = progress_.step,
                                 .epoch = epoch_number(),
                                 .samples = validation_->samples(),
                                 .mean = validation_->run(replica_)};
    metrics.samples_per_second = static_cast<double>(metrics.samples) / seconds_since(begun);
    metrics.seconds = seconds_since(started_at_);
    validated_step_ = progress_.step;
    progress_.validation_elbo = metrics.mean.reconstruction - metrics.mean.kl;
    const bool best =
        !std::isnan(progress_.validation_elbo) && !(progress_.validation_elbo <= progress_.best_elbo);
    if (metrics_) metrics_->validation(metrics);
    display_.validation(metrics, best);
    if (!best) return;
    progress_.best_elbo = progress_.validation_elbo;
    run_on_first_rank(communicator_, [&] {
        directory_->write_best(checkpoint_bytes(snapshot(config_, data_, started_, progress_)));
    });
}

void Run::save() {
    run_on_first_rank(communicator_, [&] {
        const std::vector<std::byte> bytes = checkpoint_bytes(snapshot(config_, data_, started_, progress_));
        const std::string file = directory_->write_checkpoint(progress_.step, bytes, config_.output.keep);
        metrics_->checkpoint(progress_.step, epoch_number(), file);
    });
    saved_step_ = progress_.step;
}

}  // namespace

void train(const Config& asked, Communicator& communicator, const Log& log) {
    std::unique_ptr<RunDirectory> directory;
    run_on_first_rank(communicator, [&] {
        if (asked.output.directory.empty()) {
            throw_input_error("output.directory is missing: training writes its checkpoints there");
        }
        directory = std::make_unique<RunDirectory>(asked.output.directory);
    });
    const std::optional<Checkpoint> resumed = load_newest_checkpoint(directory.get(), communicator, log);
    Config config = asked;
    run_together(communicator, [&] {
        const std::int64_t saved = resumed ? resumed->config.train.virtual_ranks.value() : 0;
        config.train.virtual_ranks = resolve_virtual_ranks(asked.train, saved, communicator.size());
        if (resumed) require_same_configuration(config, *resumed);
    });
    Run(config, std::move(directory), resumed, communicator, log).train();
}

}  // namespace vae_dist
