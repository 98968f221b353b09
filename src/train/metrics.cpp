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

double elbo(const ElboTerms& mean) { return mean.reconstruction - mean.kl; }

}  // namespace

MetricsLog::MetricsLog(std::filesystem::path path, std::int64_t step) : path_(std::move(path)) {
    std::string kept;
    if (std::filesystem::exists(path_)) {
        std::istringstream lines(read_text_file(path_));
        for (std::string line; std::getline(lines, line);) {
            const Json json = Json::parse(line, nullptr, false);
            if (!json.is_object() || !json.contains("step") || json["step"].get<std::int64_t>() > step) continue;
            if (json["event"] == "checkpoint") last_checkpoint_step_ = json["step"];
            kept += line + "\n";
        }
    }
    write_file_atomically(path_, kept);
}

void MetricsLog::train(const TrainMetrics& metrics) {
    append(Json{{"event", "train"},
                {"step", metrics.step},
                {"epoch", metrics.epoch},
                {"samples", metrics.samples},
                {"elbo", elbo(metrics.mean)},
                {"reconstruction", metrics.mean.reconstruction},
                {"kl", metrics.mean.kl},
                {"beta", metrics.beta},
                {"gradient_norm", metrics.gradient_norm},
                {"learning_rate", metrics.learning_rate},
                {"samples_per_second", metrics.samples_per_second},
                {"seconds", metrics.seconds}}
               .dump());
}

void MetricsLog::validation(const ValidationMetrics& metrics) {
    append(Json{{"event", "validation"},
                {"step", metrics.step},
                {"epoch", metrics.epoch},
                {"samples", metrics.samples},
                {"elbo", elbo(metrics.mean)},
                {"reconstruction", metrics.mean.reconstruction},
                {"kl", metrics.mean.kl},
                {"samples_per_second", metrics.samples_per_second},
                {"seconds", metrics.seconds}}
               .dump());
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
