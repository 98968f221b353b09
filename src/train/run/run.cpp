#include "train/run/run.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <exception>
#include <utility>

#include "vae_dist/comm/agreement.hpp"
#include "vae_dist/core/error.hpp"
#include "vae_dist/core/text.hpp"
#include "vae_dist/train/run/consistency.hpp"
#include "vae_dist/train/run/first_pass.hpp"

namespace vae_dist {

namespace {

/// Steps in a row that on_nonfinite: skip may skip.
constexpr std::int64_t kMostSkipsInARow = 10;

using Clock = std::chrono::steady_clock;
using Occasion = RunRecorder::Occasion;

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

}  // namespace

Run::Run(const Config& config, std::unique_ptr<RunRecorder> recorder,
         const std::optional<Checkpoint>& resumed, StopRequest& stop_request, Communicator& communicator,
         const Log& log)
    : config_(config),
      communicator_(communicator),
      log_(log),
      stop_request_(stop_request),
      recorder_(std::move(recorder), communicator),
      data_(config, communicator),
      schedule_(config.output, data_.steps_per_epoch(), data_.total_steps()),
      started_(start_replica(config, data_, resumed, communicator, log)),
      replica_(*started_.replica),
      step_(make_training_step(config, data_.total_steps(), replica_, communicator)),
      display_(log, data_.total_steps(), data_.total_epochs()) {
    if (resumed) {
        is_new_ = false;
        progress_ = resumed->progress;
        first_step_ = progress_.step;
    }
    TermValues sums = replica_.vae.terms(config.objective.importance_samples);
    sums.assign_by_name(progress_.window.sums);
    progress_.window.sums = std::move(sums);
}

TrainingEnd Run::train() {
    // Of a checkpoint of the last step it is not known yet whether it was written before or after the last
    // validation: the line of a finished run's tells.
    bool finished = progress_.step > total_steps();
    if (is_last()) {
        std::int64_t has_line = 0;
        recorder_.run_together([&](RunRecorder& recorder) {
            has_line = recorder.has_line_of_checkpoint(progress_.step) ? 1 : 0;
        });
        communicator_.all_reduce_max(std::span(&has_line, 1));
        finished = has_line == 1;
        progress_.epoch_end_pending = !finished;
    }
    if (finished) {
        log_.info("this run is finished: {} of {} done; see {}", format_count(progress_.step),
                  counted(total_steps(), "step"), config_.output.directory);
        return TrainingEnd::finished;
    }
    try {
        begin();
        take_steps();
    } catch (const Error& error) {
        // All ranks are here: what was saved before is written before any of them leaves.
        if (error.on_all_ranks()) recorder_.flush_after(error, log_);
        throw;
    }
    recorder_.flush();
    if (stopped_) return TrainingEnd::stopped;
    display_.end(fmt::format("done: {} in {}{}; checkpoints and metrics in {}",
                             counted(progress_.step, "step"), format_duration(seconds_since(started_at_)),
                             pauses(), config_.output.directory));
    return TrainingEnd::finished;
}

void Run::begin() {
    communicator_.set_activity("opening the data");
    if (config_.data.validation) validation_.emplace(config_, data_, communicator_);
    run_together(communicator_,
                 [&] { loader_ = data_.start_loader(progress_.epoch, progress_.samples_in_epoch); });
    recorder_.run_together([&](RunRecorder& recorder) {
        recorder.begin(config_, schedule_, progress_);
        if (!is_new_ && !progress_.epoch_end_pending && schedule_.is_due(progress_.step))
            recorder.complete_line(progress_.step, epoch_number());
    });
    communicator_.set_activity("asking for the job's time limit");
    stop_request_.heed_time_limit(config_, communicator_, log_);
    // Until a save has been timed: as if to a slow disk.
    constexpr double kBytesPerSecond = 100e6;
    const auto arrays = static_cast<double>(1 + replica_.optimizer.states().size());
    const auto bytes = arrays * sizeof(float) * static_cast<double>(replica_.vae.layout().size());
    stop_request_.time_limit().save_took(TimeLimit::Seconds(bytes / kBytesPerSecond));
    if (!is_new_) {
        recorder_.record([&](RunRecorder& recorder) { recorder.prepare_memory(snapshot_copier()); });
        return;
    }
    // The first one keeps what virtual_ranks: auto was, and shows early whether there is room.
    save({.occasion = schedule_.is_due(0) ? Occasion::scheduled : Occasion::unscheduled});
    recorder_.flush();
}

void Run::take_steps() {
    if (leave_before_first_step()) return;
    if (progress_.epoch_end_pending) close_step(false);
    while (!stopped_ && !is_last()) {
        const Clock::time_point begun = Clock::now();
        while (may_start())
            start_step();
        const StepResult& result = step_->finish();
        --under_way_;
        stop_request_.time_limit().step_took(Clock::now() - begun);
        finish_step(result);
    }
}

// What is done between steps, or asked for, waits for all that are under way.
bool Run::may_start() const {
    if (under_way_ == 0) return true;
    if (under_way_ == step_->depth() || asked_.stop || asked_.save || checksum_) return false;
    const std::int64_t done = progress_.step + under_way_;
    return done < total_steps() && !schedule_.is_due(done) && !validation_is_due(under_way_);
}

void Run::start_step() {
    step_->start(*loader_, progress_.step + under_way_, progress_.updates + under_way_,
                 [&] { return wishes(); });
    ++under_way_;
}

// After a signal during the start: the state on disk is the one that there is. For the clock alone no run
// ends here, so that every start does a step.
bool Run::leave_before_first_step() {
    std::int64_t asked = stop_request_.by_signal() ? 1 : 0;
    communicator_.all_reduce_max(std::span(&asked, 1));
    if (asked == 0) return false;
    stopped_ = true;
    const std::string reason = stop_request_.reason(communicator_);
    display_.end(fmt::format("stopped by {} before the next step, after {} of {}; start again to go on",
                             reason, progress_.step, total_steps()));
    return true;
}

// Rank 0's failure to write becomes one of the step, which all ranks throw.
StepWishes Run::wishes() {
    if (const std::exception_ptr error = recorder_.error()) std::rethrow_exception(error);
    // As late as may be before the update, in which ranks hand each other what they have.
    const std::int64_t every = config_.train.consistency_every;
    const std::int64_t steps = under_way_ + 1;
    if (communicator_.size() > 1 && every > 0 && (progress_.step + steps) % every == 0)
        checksum_ = parameter_checksum(replica_.vae.layout(), replica_.vae.parameters(), replica_.backend);
    const RunRecorder::SaveTimes times = recorder_.save_times();
    stop_request_.time_limit().save_took(TimeLimit::Seconds(times.longest_pause + times.longest_write));
    StepWishes wishes = {.stop = stop_request_.is_made(validation_comes(steps))};
    const auto minutes = config_.output.checkpoint_every_minutes;
    if (minutes && communicator_.rank() == 0) {
        wishes.save = seconds_since(saved_at_) >= 60 * *minutes && !recorder_.is_saving();
    }
    return wishes;
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
    if (checksum_ && progress_.step % config_.train.consistency_every == 0)
        require_equal_parameters(*std::exchange(checksum_, std::nullopt), progress_.step, communicator_);
    if (progress_.window.samples > 0 && display_.is_due()) show_progress(result);
    if (progress_.step % config_.output.log_every == 0) log_training(result);

    asked_.stop = asked_.stop || result.stop;
    asked_.save = asked_.save || result.save;
    if (under_way_ > 0) return;
    const StepWishes asked = std::exchange(asked_, {});
    const Clock::time_point stepped = Clock::now();
    if (asked.stop) {
        stop();
    } else {
        close_step(asked.save);
    }
    pause_seconds_ += seconds_since(stepped);
}

// What happens only because the run ends here leaves no trace in a run that is made longer.
void Run::close_step(bool save_asked) {
    const bool checkpoint_due = schedule_.is_due(progress_.step);
    bool best = false;
    if (validation_ && (validation_is_due() || is_last())) {
        const std::optional<bool> judged = validate(!validation_is_due());
        if (!judged) return stop();
        best = *judged;
    }
    progress_.epoch_end_pending = false;
    Occasion occasion = save_asked ? Occasion::unscheduled : Occasion::none;
    if (is_last()) occasion = Occasion::end_of_run;
    if (checkpoint_due) occasion = Occasion::scheduled;
    if (best || occasion != Occasion::none) save({.as_best = best, .occasion = occasion});
}

// A validation, and all after it, is left to the run that goes on: there may not be time for it.
void Run::stop() {
    progress_.epoch_end_pending = validation_ && (validation_is_due() || is_last());
    if (is_last() && !progress_.epoch_end_pending) return close_step(false);
    stopped_ = true;
    const bool scheduled = schedule_.is_due(progress_.step) && !progress_.epoch_end_pending;
    save({.occasion = scheduled ? Occasion::scheduled : Occasion::unscheduled});
    const std::string reason = stop_request_.reason(communicator_);
    recorder_.flush();
    display_.end(fmt::format("stopped by {} after step {} of {}: saved{}; start again to go on", reason,
                             progress_.step, total_steps(), pauses()));
}

void Run::apply_nonfinite_policy(const StepResult& result) {
    if (result.applied) {
        const auto samples = static_cast<double>(result.samples);
        ++progress_.updates;
        progress_.nonfinite_in_a_row = 0;
        const std::span<double> sums = progress_.window.sums.values();
        for (std::size_t i = 0; i < sums.size(); ++i)
            sums[i] += result.mean.values()[i] * samples;
        progress_.window.samples += result.samples;
        return;
    }
    ++progress_.nonfinite_in_a_row;
    const bool stop = config_.train.on_nonfinite == NonFinitePolicy::stop;
    if (stop || progress_.nonfinite_in_a_row > kMostSkipsInARow) {
        const std::string advice =
            advise_on_divergence(config_, data_.source(), large_values_of_step(), progress_.updates);
        throw Error(
            ErrorKind::failure,
            fmt::format(
                "training diverged: in step {} a loss or gradient is not finite, or too large for the sum "
                "over all ranks{}; {}",
                progress_.step,
                stop ? "" : fmt::format(", for {} steps in a row", progress_.nonfinite_in_a_row), advice))
            .mark_on_all_ranks();
    }
    recorder_.record([&](RunRecorder& recorder) { recorder.skipped(progress_.step, epoch_number()); });
    if (communicator_.rank() == 0)
        log_.warn("step {}: a loss or gradient is not finite; the step is skipped", progress_.step);
}

// Collective; the same on every number of ranks. Empty where steps are under way: the loader is ahead.
LargeValues Run::large_values_of_step() {
    LargeValues large;
    if (under_way_ > 0) return large;
    const RowSource& source = data_.source();
    const Batch batch = loader_->current();
    for (const Slice& slice : batch.slices)
        large.look_at(slice, source, input_scale(config_.data, source.element_type()));
    double largest = large.largest;
    communicator_.all_reduce_max(std::span(&largest, 1));
    std::int64_t minus_row = large.largest == largest ? -large.row : -LargeValues::kNoRow;
    communicator_.all_reduce_max(std::span(&minus_row, 1));
    std::array<std::int64_t, 2> counts = {large.above_likely, large.values};
    communicator_.all_reduce_sum(std::span(counts));
    return {.largest = largest, .row = -minus_row, .above_likely = counts[0], .values = counts[1]};
}

TrainMetrics Run::metrics_of(const LogWindow& window, const StepResult& result) const {
    const double seconds = seconds_since(started_at_);
    TermValues mean = window.sums;
    for (double& value : mean.values())
        value /= static_cast<double>(window.samples);
    return {.step = progress_.step,
            .epoch = epoch_number(),
            .samples = samples_visited(),
            .mean = std::move(mean),
            .beta = result.beta,
            .gradient_norm = result.applied ? result.gradient_norm : std::nan(""),
            .learning_rate = result.learning_rate,
            .samples_per_second =
                static_cast<double>(samples_since_log_) / (seconds - last_log_seconds_ - pause_seconds_),
            .seconds = seconds};
}

double Run::seconds_left(double seconds) const {
    const double seconds_per_step = seconds / static_cast<double>(progress_.step - first_step_);
    return seconds_per_step * static_cast<double>(total_steps() - progress_.step);
}

void Run::show_progress(const StepResult& result) {
    const TrainMetrics metrics = metrics_of(progress_.window, result);
    display_.step(metrics, seconds_left(metrics.seconds));
}

void Run::log_training(const StepResult& result) {
    const TrainMetrics metrics = metrics_of(progress_.window, result);
    std::ranges::fill(progress_.window.sums.values(), 0);
    progress_.window.samples = 0;
    last_log_seconds_ = metrics.seconds;
    pause_seconds_ = 0;
    samples_since_log_ = 0;
    recorder_.record([&](RunRecorder& recorder) { recorder.train(metrics); });
    display_.train(metrics, seconds_left(metrics.seconds));
}

// Whether the model is the best so far; one that is looked at only because the run ends here does not count.
// None where a signal came, or the time was up, meanwhile.
std::optional<bool> Run::validate(bool final) {
    const Clock::time_point begun = Clock::now();
    const std::optional<TermValues> mean =
        validation_->run(replica_, [&] { return stop_request_.is_made(false); });
    if (!mean) return std::nullopt;
    ValidationMetrics metrics = {.step = progress_.step,
                                 .epoch = epoch_number(),
                                 .samples = validation_->samples(),
                                 .mean = *mean,
                                 .final = final};
    const double seconds = seconds_since(begun);
    stop_request_.time_limit().validation_took(TimeLimit::Seconds(seconds));
    metrics.samples_per_second = static_cast<double>(metrics.samples) / seconds;
    metrics.seconds = seconds_since(started_at_);
    const std::optional<double> bound = mean->bound();
    const double objective = bound.value_or(mean->elbo());
    double& best_objective = bound ? progress_.best_bound : progress_.best_elbo;
    const bool best = !final && !std::isnan(objective) && !(objective <= best_objective);
    if (!final) {
        progress_.validation_elbo = mean->elbo();
        if (bound) progress_.validation_bound = *bound;
    }
    if (best) best_objective = objective;
    recorder_.record([&](RunRecorder& recorder) { recorder.validation(metrics); });
    display_.validation(metrics, best);
    return best;
}

void Run::save(RunRecorder::Save save) {
    communicator_.set_activity("saving");
    step_->collect_state();
    if (save.occasion != Occasion::none) saved_at_ = Clock::now();
    recorder_.record([&](RunRecorder& recorder) { recorder.save(snapshot_copier(), epoch_number(), save); });
}

std::string Run::pauses() const {
    const RunRecorder::SaveTimes times = recorder_.save_times();
    if (times.count == 0) return "";
    const std::string longest =
        times.count == 1 ? "" : fmt::format(" (the longest {:.1f} ms)", times.longest_pause * 1e3);
    return fmt::format(", {} paused it for {:.3f} s{}", counted(times.count, "save"), times.all_pauses,
                       longest);
}

}  // namespace vae_dist
