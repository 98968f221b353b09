#include "vae_dist/train/schedule.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "vae_dist/core/error.hpp"

namespace vae_dist {

namespace {

// Linear from 1 / steps in step 0 to 1 in step `steps` - 1 and after.
double ramp(std::int64_t step, std::int64_t steps) {
    return step >= steps ? 1.0 : static_cast<double>(step + 1) / static_cast<double>(steps);
}

double decay(const ScheduleConfig& schedule, std::int64_t step, std::int64_t remaining_steps) {
    const auto at = static_cast<double>(step);
    const auto every = static_cast<double>(schedule.every_steps);
    switch (schedule.name) {
        case ScheduleKind::constant:
            return 1;
        case ScheduleKind::step:
            return std::pow(schedule.factor, std::floor(at / every));
        case ScheduleKind::exponential:
            return std::pow(schedule.factor, at / every);
        case ScheduleKind::cosine: {
            const std::int64_t length = schedule.decay_steps > 0 ? schedule.decay_steps : remaining_steps;
            const double progress =
                std::min(1.0, at / static_cast<double>(std::max<std::int64_t>(length, 1)));
            const double half_wave = (1 + std::cos(std::numbers::pi * progress)) / 2;
            return schedule.final_fraction + (1 - schedule.final_fraction) * half_wave;
        }
    }
    require(false, "every schedule has a formula");
    return 0;
}

}  // namespace

double learning_rate(const OptimizerConfig& optimizer, std::int64_t step, std::int64_t total_steps) {
    const std::int64_t warmup = optimizer.schedule.warmup_steps;
    const std::int64_t after_warmup = std::max<std::int64_t>(step - warmup, 0);
    return optimizer.learning_rate * ramp(step, warmup) *
           decay(optimizer.schedule, after_warmup, total_steps - warmup);
}

double kl_weight(const ObjectiveConfig& objective, std::int64_t step) {
    return objective.beta * ramp(step, objective.kl_warmup_steps);
}

}  // namespace vae_dist
