#include "vae_dist/train/metrics.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "vae_dist/core/error.hpp"
#include "vae_dist/core/files.hpp"

namespace vae_dist {

namespace {

using Json = nlohmann::ordered_json;

// The fields that every line with an ELBO begins with.
template <class Metrics>
Json line_of(const char* event, const Metrics& metrics) {
    return {{"event", event},
            {"step", metrics.step},
            {"epoch", metrics.epoch},
            {"samples", metrics.samples},
            {"elbo", metrics.mean.reconstruction - metrics.mean.kl},
            {"reconstruction", metrics.mean.reconstruction},
            {"kl", metrics.mean.kl}};
}

}  // namespace

MetricsLog::MetricsLog(std::filesystem::path path, std::int64_t step) : path_(std::move(path)) {
    std::string kept;
    if (std::filesystem::exists(path_)) {
        std::istringstream lines(read_text_file(path_));
        for (std::string line; std::getline(lines, line);) {
            const Json json = Json::parse(line, nullptr, false);
            if (!json.is_object() || !json.contains("step") || json["step"].get<std::int64_t>() > step)
                continue;
            if (json["event"] == "checkpoint") last_checkpoint_step_ = json["step"];
            kept += line + "\n";
        }
    }
    write_file_atomically(path_, kept);
}

void MetricsLog::train(const TrainMetrics& metrics) {
    Json line = line_of("train", metrics);
    line["beta"] = metrics.beta;
    line["gradient_norm"] = metrics.gradient_norm;
    line["learning_rate"] = metrics.learning_rate;
    line["samples_per_second"] = metrics.samples_per_second;
    line["seconds"] = metrics.seconds;
    append(line.dump());
}

void MetricsLog::validation(const ValidationMetrics& metrics) {
    Json line = line_of("validation", metrics);
    line["samples_per_second"] = metrics.samples_per_second;
    line["seconds"] = metrics.seconds;
    append(line.dump());
}

void MetricsLog::skipped(std::int64_t step, std::int64_t epoch) {
    append(Json{{"event", "skipped"}, {"step", step}, {"epoch", epoch}}.dump());
}

void MetricsLog::checkpoint(std::int64_t step, std::int64_t epoch, const std::string& file) {
    if (step == last_checkpoint_step_) return;
    last_checkpoint_step_ = step;
    append(Json{{"event", "checkpoint"}, {"step", step}, {"epoch", epoch}, {"file", file}}.dump());
}

void MetricsLog::append(const std::string& line) {
    std::ofstream stream(path_, std::ios::app | std::ios::binary);
    stream << line << '\n' << std::flush;
    if (!stream) throw_failure("cannot write to {}: {}", path_.string(), std::strerror(errno));
}

}  // namespace vae_dist
