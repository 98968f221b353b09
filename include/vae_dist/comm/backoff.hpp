#pragma once

#include <chrono>

namespace vae_dist {

/// The pauses of a loop that waits for another rank. At first `pause` is one instruction that saves power;
/// after some microseconds it yields the processor, and after a millisecond it sleeps for 50 microseconds.
class Backoff {
 public:
    void pause();

    /// True once `pause` yields: work of low priority may then be done between two pauses.
    bool is_yielding() const { return pauses_ >= kSpins; }

 private:
    static constexpr int kSpins = 200;

    int pauses_ = 0;
    std::chrono::steady_clock::time_point start_;  ///< when the spins ended
};

}  // namespace vae_dist
