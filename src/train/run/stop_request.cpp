#include "train/run/stop_request.hpp"

#include <algorithm>
#include <optional>

#include "vae_dist/comm/job_end.hpp"
#include "vae_dist/core/text.hpp"

namespace vae_dist {

namespace {

using Clock = TimeLimit::Clock;

std::optional<Clock::time_point> deadline_of(const Config& config, Clock::time_point start, const Log& log) {
    const std::optional<Duration> limit = config.train.time_limit;
    if (limit == kForever) return std::nullopt;
    std::optional<Clock::time_point> deadline;
    if (limit) deadline = start + *limit;
    if (const auto job_end = job_end_time(log)) {
        const auto left = *job_end - std::chrono::system_clock::now();
        const Clock::time_point end = Clock::now() + std::chrono::duration_cast<Clock::duration>(left);
        deadline = deadline ? std::min(*deadline, end) : end;
    }
    return deadline;
}

}  // namespace

void StopRequest::heed_time_limit(const Config& config, Communicator& communicator, const Log& log) {
    if (communicator.rank() != 0) return;
    const std::optional<Clock::time_point> deadline = deadline_of(config, start_, log);
    time_limit_ = TimeLimit(deadline);
    if (!deadline) return;
    const TimeLimit::Seconds left = *deadline - Clock::now();
    log.info("time limit: the run will be saved and gone within {}",
             format_duration(std::max(left.count(), 0.0)));
}

bool StopRequest::is_made(bool validation_is_next) const {
    return by_signal() || time_limit_.is_reached(Clock::now(), validation_is_next);
}

std::string StopRequest::reason(Communicator& communicator) const {
    std::int64_t signal = signals_.received();
    communicator.all_reduce_max(std::span(&signal, 1));
    return signal != 0 ? signal_name(static_cast<int>(signal)) : "the time limit";
}

}  // namespace vae_dist
