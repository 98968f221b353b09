#include "vae_dist/train/metrics.hpp"

#include <nlohmann/json.hpp>
#include <sstream>

#include "vae_dist/core/files.hpp"

namespace vae_dist {

namespace {

using Json = nlohmann::ordered_json;

// The fields that every line with an ELBO begins with.
template <class Metrics>
Json line_of(const char* event, const Metrics& metrics) {
    Json line = {{"event", event},
                 {"step", metrics.step},
                 {"epoch", metrics.epoch},
                 {"samples", metrics.samples},
                 {"elbo", metrics.mean.reconstruction - metrics.mean.kl},
                 {"reconstruction", metrics.mean.reconstruction},
                 {"kl", metrics.mean.kl}};
    if (metrics.has_bound) line["iwae_bound"] = metrics.mean.iwae_bound;
    return line;
}

// False for values of other types too.
bool has(const Json& json, const char* key, const Json& value) {
    return json.contains(key) && json[key] == value;
}

// Rewrites the file without what an interrupted, or shorter, run left behind after `step`; returns its path.
const std::filesystem::path& drop_later_lines(const std::filesystem::path& path, std::int64_t step,
                                              bool goes_on) {
    std::string kept;
    if (std::filesystem::exists(path)) {
        std::istringstream lines(read_text_file(path));
        for (std::string line; std::getline(lines, line);) {
            const Json json = Json::parse(line, nullptr, false);
            if (!json.is_object() || !json.value("step", Json()).is_number_integer()) continue;
            if (json["step"] > step || (goes_on && has(json, "final", true))) continue;
            kept += line + "\n";
        }
    }
    write_file_atomically(path, kept);
    return path;
}

}  // namespace

MetricsLog::MetricsLog(const std::filesystem::path& path, std::int64_t step, bool goes_on)
    : file_(drop_later_lines(path, step, goes_on)) {
    std::istringstream lines(read_text_file(path));
    for (std::string line; std::getline(lines, line);) {
        const Json json = Json::parse(line);
        if (has(json, "event", "checkpoint")) last_checkpoint_step_ = json["step"];
    }
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

void MetricsLog::checkpoint(std::int64_t step, std::int64_t epoch, const std::string& file, bool final) {
    if (step == last_checkpoint_step_) return;
    last_checkpoint_step_ = step;
    Json line = {{"event", "checkpoint"}, {"step", step}, {"epoch", epoch}, {"file", file}};
    if (final) line["final"] = true;
    file_.append(line.dump());
}

}  // namespace vae_dist
