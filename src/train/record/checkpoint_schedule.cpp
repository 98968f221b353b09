#include "vae_dist/train/record/checkpoint_schedule.hpp"

#include <algorithm>
#include <functional>

#include "vae_dist/core/error.hpp"

namespace vae_dist {

namespace {

// Whether `step` is one of every `epochs` of `steps_per_epoch`; 0 epochs: never.
bool is_every(std::int64_t step, std::int64_t epochs, std::int64_t steps_per_epoch) {
    return epochs > 0 && step % steps_per_epoch == 0 && step / steps_per_epoch % epochs == 0;
}

}  // namespace

CheckpointSchedule::CheckpointSchedule(const OutputConfig& output, std::int64_t steps_per_epoch,
                                       std::int64_t last_step)
    : checkpoint_every_(output.checkpoint_every.value_or(output.checkpoint_every_minutes ? 0 : 1)),
      keep_(static_cast<std::size_t>(output.keep)),
      keep_every_(output.keep_every),
      steps_per_epoch_(steps_per_epoch),
      last_step_(last_step) {
    require(output.keep > 0 && steps_per_epoch > 0, "a run has steps, and keeps checkpoints");
}

bool CheckpointSchedule::is_due(std::int64_t step) const {
    return is_every(step, checkpoint_every_, steps_per_epoch_) ||
           is_every(step, keep_every_, steps_per_epoch_);
}

std::vector<std::int64_t> CheckpointSchedule::superseded(const std::vector<std::int64_t>& steps,
                                                         std::int64_t newest) const {
    std::vector<std::int64_t> newest_first = steps;
    std::sort(newest_first.begin(), newest_first.end(), std::greater<>());
    std::vector<std::int64_t> gone;
    std::size_t due = 0;
    std::size_t unscheduled = 0;
    const bool has_schedule = checkpoint_every_ > 0 || keep_every_ > 0;
    const std::size_t most_unscheduled = newest == last_step_ && has_schedule ? 1 : keep_;
    for (const std::int64_t step : newest_first) {
        if (step > newest) continue;
        const bool stays = is_due(step) ? due++ < keep_ : due == 0 && unscheduled++ < most_unscheduled;
        const bool for_good = step > 0 && is_every(step, keep_every_, steps_per_epoch_);
        if (!stays && !for_good) gone.push_back(step);
    }
    return gone;
}

}  // namespace vae_dist
