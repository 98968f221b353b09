#pragma once

#include <atomic>
#include <cstdint>
#include <string>

namespace vae_dist {

/// What a rank tells of itself. All ranks make the same calls in the same order, so the numbers of calls say
/// who has not arrived where the others wait. Waits (for shared memory, for messages) are each rank's own:
/// their numbers do not measure another's.
struct RankState {
    std::uint64_t entered = 0;  ///< calls of the communicator that it has begun
    std::uint64_t left = 0;     ///< ... and ended
    std::string phase;          ///< what it last said that it does; may be empty
    std::uint64_t waits = 0;    ///< begins and ends of waits: odd in one

    bool operator==(const RankState&) const = default;
    bool in_call() const { return entered > left; }
    bool in_wait() const { return waits % 2 == 1; }
    /// Whether it does nothing but wait for others.
    bool stands() const { return in_call() || in_wait(); }
    std::uint64_t waits_ended() const { return waits / 2; }
};

/// What this rank does, told by the thread that does it and read by the one that watches.
class Activity {
 public:
    void enter() noexcept { add_one(entered_); }
    void leave() noexcept { add_one(left_); }
    void begin_wait() noexcept { add_one(waits_); }
    void end_wait() noexcept { add_one(waits_); }
    /// `what` is a string literal.
    void doing(const char* what) noexcept { phase_.store(what, std::memory_order_release); }

    // What was left is read first, or a rank could seem to have left more calls than it entered.
    RankState state() const {
        RankState state;
        state.left = left_.load(std::memory_order_acquire);
        state.entered = entered_.load(std::memory_order_acquire);
        state.waits = waits_.load(std::memory_order_acquire);
        state.phase = phase_.load(std::memory_order_acquire);
        return state;
    }

 private:
    // Only one thread writes: a locked addition would cost for nothing.
    static void add_one(std::atomic<std::uint64_t>& count) noexcept {
        count.store(count.load(std::memory_order_relaxed) + 1, std::memory_order_release);
    }

    std::atomic<std::uint64_t> entered_{0};
    std::atomic<std::uint64_t> left_{0};
    std::atomic<std::uint64_t> waits_{0};
    std::atomic<const char*> phase_{""};
};

}  // namespace vae_dist
