#include "vae_dist/train/record/run_recorder.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "vae_dist/config/load.hpp"
#include "vae_dist/core/error.hpp"

namespace vae_dist {

namespace {

const std::string& required_directory(const OutputConfig& output) {
    if (output.directory.empty()) {
        throw_input_error("output.directory is missing: training writes its checkpoints there");
    }
    return output.directory;
}

std::string file_of(std::int64_t step) {
    return "checkpoints/" + checkpoint_name(step);
}

using Clock = std::chrono::steady_clock;

double seconds_between(Clock::time_point from, Clock::time_point to) {
    return std::chrono::duration<double>(to - from).count();
}

}  // namespace

RunRecorder::RunRecorder(const OutputConfig& output, const Log& log)
    : log_(log), directory_(required_directory(output)) {}

RunRecorder::~RunRecorder() = default;

void RunRecorder::begin(const Config& config, const CheckpointSchedule& schedule, const Progress& progress) {
    schedule_ = schedule;
    directory_.write_config(to_yaml(config));
    directory_.write_or_name_newest(
        [&] { metrics_.emplace(directory_.metrics_path(), progress.step, progress.epoch_end_pending); });
}

bool RunRecorder::has_line_of_checkpoint(std::int64_t step) const {
    return vae_dist::has_line_of_checkpoint(directory_.metrics_path(), step);
}

void RunRecorder::train(const TrainMetrics& metrics) {
    post([metrics](MetricsLog& log) { log.train(metrics); });
}

void RunRecorder::validation(const ValidationMetrics& metrics) {
    post([metrics](MetricsLog& log) { log.validation(metrics); });
}

void RunRecorder::skipped(std::int64_t step, std::int64_t epoch) {
    post([step, epoch](MetricsLog& log) { log.skipped(step, epoch); });
}

void RunRecorder::complete_line(std::int64_t step, std::int64_t epoch) {
    post([step, epoch](MetricsLog& log) {
        log.checkpoint({.step = step, .epoch = epoch, .file = file_of(step)});
    });
}

void RunRecorder::save(const std::function<void(Checkpoint&)>& copy, std::int64_t epoch, Save save) {
    const Clock::time_point begun = Clock::now();
    queue_.wait();
    copy(snapshot_);
    const Clock::time_point copied = Clock::now();
    const double pause = seconds_between(begun, copied);
    {
        const std::lock_guard lock(mutex_);
        ++times_.count;
        times_.last_pause = pause;
        times_.longest_pause = std::max(times_.longest_pause, pause);
        times_.all_pauses += pause;
    }
    saving_ = true;
    queue_.post([this, epoch, save, pause, copied] {
        write(epoch, save, pause, copied);
        saving_ = false;
    });
}

void RunRecorder::prepare_memory(const std::function<void(Checkpoint&)>& copy) {
    queue_.wait();
    copy(snapshot_);
}

bool RunRecorder::is_saving() const {
    return saving_ && error() == nullptr;
}

void RunRecorder::flush() {
    queue_.wait();
    if (metrics_) directory_.write_or_name_newest([&] { metrics_->flush_to_disk(); });
}

std::exception_ptr RunRecorder::error() const {
    return queue_.error();
}

RunRecorder::SaveTimes RunRecorder::save_times() const {
    const std::lock_guard lock(mutex_);
    return times_;
}

void RunRecorder::post(std::function<void(MetricsLog&)> write_line) {
    queue_.post([this, write_line = std::move(write_line)] {
        directory_.write_or_name_newest([&] { write_line(metrics_.value()); });
    });
}

// A run that goes on from a checkpoint has the lines before it, for they are on disk first.
void RunRecorder::write(std::int64_t epoch, Save save, double pause, Clock::time_point copied) {
    std::vector<std::byte> bytes;
    directory_.write_or_name_newest([&] { bytes = checkpoint_bytes(snapshot_); });
    if (save.as_best) directory_.write_best(bytes);
    const std::int64_t step = snapshot_.progress.step;
    std::string file;
    if (save.occasion != Occasion::none) {
        directory_.write_or_name_newest([&] { metrics_->flush_to_disk(); });
        file = directory_.write_checkpoint(step, bytes, *schedule_, log_);
    }
    const double seconds = seconds_between(copied, Clock::now());
    {
        const std::lock_guard lock(mutex_);
        times_.longest_write = std::max(times_.longest_write, seconds);
    }
    if (save.occasion != Occasion::scheduled && save.occasion != Occasion::end_of_run) return;
    directory_.write_or_name_newest([&] {
        metrics_->checkpoint({.step = step,
                              .epoch = epoch,
                              .file = file,
                              .final = save.occasion == Occasion::end_of_run,
                              .pause_seconds = pause,
                              .write_seconds = seconds});
    });
}

}  // namespace vae_dist
