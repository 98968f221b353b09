#include "vae_dist/train/run/time_limit.hpp"

#include <algorithm>

namespace vae_dist {
namespace {

constexpr double kSafety = 2;
constexpr TimeLimit::Seconds kLeaving{1};

// What took long once, as the first step or a disk that stalled, counts less with each one after it.
void note(TimeLimit::Seconds time, TimeLimit::Seconds& slowest) {
    constexpr double kFading = 0.95;
    slowest = std::max(time, kFading * slowest);
}

}  // namespace

void TimeLimit::step_took(Seconds time) {
    note(time, step_);
}

void TimeLimit::validation_took(Seconds time) {
    note(time, validation_);
}

void TimeLimit::save_took(Seconds time) {
    save_ = std::max(save_, time);
}

bool TimeLimit::is_reached(Clock::time_point now, bool validation_is_next) const {
    if (!deadline_) return false;
    const Seconds work = step_ + (validation_is_next ? validation_ : Seconds{0}) + save_;
    return Seconds(*deadline_ - now) < kSafety * work + kLeaving;
}

}  // namespace vae_dist
