#include "vae_dist/train/time_limit.hpp"

#include <algorithm>

namespace vae_dist {
namespace {

constexpr double kSafety = 2;
constexpr TimeLimit::Seconds kLeaving{1};

}  // namespace

void TimeLimit::step_took(Seconds time) {
    step_ = std::max(step_, time);
}

void TimeLimit::validation_took(Seconds time) {
    validation_ = std::max(validation_, time);
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
