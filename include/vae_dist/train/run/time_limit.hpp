#pragma once

#include <chrono>
#include <optional>

namespace vae_dist {

/// Reckons when a run has to stop so that it is saved and gone by its deadline. Pure arithmetic on what it is
/// told; the times are those of the slowest so far.
class TimeLimit {
 public:
    using Seconds = std::chrono::duration<double>;
    using Clock = std::chrono::steady_clock;

    /// None: there is always time.
    explicit TimeLimit(std::optional<Clock::time_point> deadline) : deadline_(deadline) {}

    // One that was slow once, as the first step, counts less with each one after it: a twentieth.
    void step_took(Seconds time);
    void validation_took(Seconds time);
    /// The slowest that is known so far: waiting, copying and writing.
    void save_took(Seconds time);

    /// Whether there is no time left for another step, the validation after it where one is due, and the
    /// save: twice what the slowest of each took, and a second for leaving.
    bool is_reached(Clock::time_point now, bool validation_is_next) const;

 private:
    std::optional<Clock::time_point> deadline_;
    Seconds step_{0};
    Seconds validation_{0};
    Seconds save_{0};
};

}  // namespace vae_dist
