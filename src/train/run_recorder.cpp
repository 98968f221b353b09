#include "vae_dist/train/run_recorder.hpp"

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

}  // namespace

RunRecorder::RunRecorder(const OutputConfig& output, const Log& log)
    : output_(output), log_(log), directory_(required_directory(output)) {}

void RunRecorder::begin(const Config& config, std::int64_t step) {
    directory_.write_config(to_yaml(config));
    directory_.write_or_name_newest([&] { metrics_.emplace(directory_.metrics_path(), step); });
}

void RunRecorder::finish(std::int64_t step, std::int64_t epoch, bool final) {
    directory_.write_or_name_newest([&] {
        metrics_.emplace(directory_.metrics_path(), step, false);
        metrics_->checkpoint(step, epoch, "checkpoints/" + checkpoint_name(step), final);
    });
}

void RunRecorder::train(const TrainMetrics& metrics) {
    directory_.write_or_name_newest([&] { metrics_->train(metrics); });
}

void RunRecorder::validation(const ValidationMetrics& metrics) {
    directory_.write_or_name_newest([&] { metrics_->validation(metrics); });
}

void RunRecorder::skipped(std::int64_t step, std::int64_t epoch) {
    directory_.write_or_name_newest([&] { metrics_->skipped(step, epoch); });
}

// The lines before a checkpoint are on disk before it is: a run that goes on from it has them.
void RunRecorder::save(const Checkpoint& checkpoint, std::int64_t epoch, Save save) {
    const std::vector<std::byte> bytes = checkpoint_bytes(checkpoint);
    if (save.as_best) directory_.write_best(bytes);
    if (!save.as_checkpoint) return;
    directory_.write_or_name_newest([&] { metrics_->flush_to_disk(); });
    const std::int64_t step = checkpoint.progress.step;
    const std::string file = directory_.write_checkpoint(step, bytes, output_.keep, log_);
    directory_.write_or_name_newest([&] { metrics_->checkpoint(step, epoch, file, save.final); });
}

void RunRecorder::complete_line(std::int64_t step, std::int64_t epoch) {
    directory_.write_or_name_newest(
        [&] { metrics_->checkpoint(step, epoch, "checkpoints/" + checkpoint_name(step)); });
}

}  // namespace vae_dist
