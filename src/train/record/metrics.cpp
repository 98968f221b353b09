#include "vae_dist/train/record/metrics.hpp"

#include <nlohmann/json.hpp>
#include <sstream>

#include "vae_dist/core/files.hpp"

namespace vae_dist {

namespace {

using Json = nlohmann::ordered_json;

// The fields that every line with an ELBO begins with: at last the terms, by their names.
template <class Metrics>
Json line_of(const char* event, const Metrics& metrics) {
    Json line = {{"event", event},
                 {"step", metrics.step},
                 {"epoch", metrics.epoch},
                 {"samples", metrics.samples},
                 {"elbo", metrics.mean.elbo()}};
    for (std::size_t i = 0; i < metrics.mean.names().size(); ++i)
        line[metrics.mean.names()[i]] = metrics.mean.values()[i];
    return line;
}

// False for values of other types too.
bool has(const Json& json, const char* key, const Json& value) {
    return json.contains(key) && json[key] == value;
}

// Calls visit(line, its JSON) for each whole line of a step.
template <class Visit>
void for_each_line(const std::filesystem::path& path, const Visit& visit) {
    if (!std::filesystem::exists(path)) return;
    std::istringstream lines(read_text_file(path));
    for (std::string line; std::getline(lines, line);) {
        const Json json = Json::parse(line, nullptr, false);
        if (json.is_object() && json.value("step", Json()).is_number_integer()) visit(line, json);
    }
}

// Rewrites the file without what an interrupted, or shorter, run left behind; returns its path.
const std::filesystem::path& drop_later_lines(const std::filesystem::path& path, std::int64_t step,
                                              bool epoch_end_pending) {
    std::string kept;
    for_each_line(path, [&](const std::string& line, const Json& json) {
        const bool of_epoch_end = has(json, "event", "validation") || has(json, "event", "checkpoint");
        const bool comes_again = epoch_end_pending && json["step"] == step && of_epoch_end;
        if (json["step"] > step || comes_again || has(json, "final", true)) return;
        kept += line + "\n";
    });
    write_file_atomically(path, kept);
    return path;
}

}  // namespace

MetricsLog::MetricsLog(const std::filesystem::path& path, std::int64_t step, bool epoch_end_pending)
    : file_(drop_later_lines(path, step, epoch_end_pending)) {
    for_each_line(path, [&](const std::string&, const Json& json) {
        if (has(json, "event", "checkpoint")) last_checkpoint_step_ = json["step"];
    });
}

void MetricsLog::train(const TrainMetrics& metrics) {
    Json line = line_of("train", metrics);
    line["beta"] = metrics.beta;
    line["gradient_norm"] = metrics.gradient_norm;
    line["learning_rate"] = metrics.learning_rate;
    line["samples_per_second"] = metrics.samples_per_second;
    line["seconds"] = metrics.seconds;
    file_.append(line.dump());
}

void MetricsLog::validation(const ValidationMetrics& metrics) {
    Json line = line_of("validation", metrics);
    if (metrics.final) line["final"] = true;
    line["samples_per_second"] = metrics.samples_per_second;
    line["seconds"] = metrics.seconds;
    file_.append(line.dump());
}

void MetricsLog::skipped(std::int64_t step, std::int64_t epoch) {
    file_.append(Json{{"event", "skipped"}, {"step", step}, {"epoch", epoch}}.dump());
}

void MetricsLog::checkpoint(const CheckpointMetrics& metrics) {
    if (metrics.step == last_checkpoint_step_) return;
    last_checkpoint_step_ = metrics.step;
    Json line = {
        {"event", "checkpoint"}, {"step", metrics.step}, {"epoch", metrics.epoch}, {"file", metrics.file}};
    if (metrics.final) line["final"] = true;
    line["pause_seconds"] = metrics.pause_seconds;
    line["write_seconds"] = metrics.write_seconds;
    file_.append(line.dump());
}

bool has_line_of_checkpoint(const std::filesystem::path& path, std::int64_t step) {
    bool found = false;
    for_each_line(path, [&](const std::string&, const Json& json) {
        found = found || (has(json, "event", "checkpoint") && json["step"] == step);
    });
    return found;
}

}  // namespace vae_dist
