#pragma once

#include <algorithm>
#include <chrono>

namespace vae_dist {

/// Since the watch began, as the watching process lived it.
using WatchTime = std::chrono::milliseconds;

/// That time: it stands still while the process, or all of a suspended job, is stopped, for no rank is to be
/// blamed for that.
class LivedTime {
 public:
    WatchTime now() {
        // Who watches asks about once a second; on a busy machine it may be late.
        constexpr std::chrono::seconds kLongestDelay{5};
        const Clock::time_point real = Clock::now();
        lived_ += std::min<Clock::duration>(real - last_, kLongestDelay);
        last_ = real;
        return std::chrono::duration_cast<WatchTime>(lived_);
    }

 private:
    using Clock = std::chrono::steady_clock;
    Clock::time_point last_ = Clock::now();
    Clock::duration lived_{0};
};

}  // namespace vae_dist
