#pragma once

#include <algorithm>
#include <chrono>

namespace vae_dist {

/// Time since the failure detector of this process began, without the time in which the process was stopped.
using DetectorTime = std::chrono::milliseconds;

/// The clock of that time. It does not advance while the process, or all of a suspended job, is stopped: no
/// rank has failed because of that.
class RunningClock {
 public:
    DetectorTime now() {
        // The detector calls this about once a second; on a busy machine a call may be late.
        constexpr std::chrono::seconds kLongestDelay{5};
        const Clock::time_point real = Clock::now();
        running_ += std::min<Clock::duration>(real - last_, kLongestDelay);
        last_ = real;
        return std::chrono::duration_cast<DetectorTime>(running_);
    }

 private:
    using Clock = std::chrono::steady_clock;
    Clock::time_point last_ = Clock::now();
    Clock::duration running_{0};
};

}  // namespace vae_dist
