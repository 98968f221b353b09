#include "vae_dist/core/log.hpp"

#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>

namespace vae_dist {

namespace {

template <class Sink>
std::shared_ptr<spdlog::logger> make_logger(const char* name) {
    auto logger = std::make_shared<spdlog::logger>(name, std::make_shared<Sink>());
    logger->set_pattern("%v");
    logger->flush_on(spdlog::level::trace);
    return logger;
}

}  // namespace

Log::Log(int rank)
    : rank_(rank),
      out_(make_logger<spdlog::sinks::stdout_sink_mt>("out")),
      err_(make_logger<spdlog::sinks::stderr_sink_mt>("err")) {}

void Log::write_info(const std::string& line) const {
    if (rank_ == 0) out_->log(spdlog::level::info, line);
}

void Log::write_warning(const std::string& message) const {
    const std::string who = rank_ == 0 ? std::string() : fmt::format("rank {}: ", rank_);
    err_->log(spdlog::level::warn, fmt::format("vae_dist: warning: {}{}", who, message));
}

void Log::error(const std::string& message, bool name_rank) const {
    const std::string who = name_rank ? fmt::format("rank {}: ", rank_) : std::string();
    err_->log(spdlog::level::err, fmt::format("vae_dist: error: {}{}", who, message));
}

}  // namespace vae_dist
