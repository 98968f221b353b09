#pragma once

#include <chrono>

namespace vae_dist {

/// How a rank waits for what others do: between two looks at it, it calls `pause`, which at first only spares
/// the processor's pipeline, after some microseconds gives the processor to whoever wants it, and after a
/// millisecond sleeps for a moment.
class Backoff {
 public:
    void pause();

    /// True once `pause` gives the processor away: work that can wait may be done between the looks.
    bool is_patient() const { return pauses_ >= kSpins; }

 private:
    static constexpr int kSpins = 200;

    int pauses_ = 0;
    std::chrono::steady_clock::time_point start_;  ///< of the time after the spins
};

}  // namespace vae_dist
