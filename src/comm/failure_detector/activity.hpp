#pragma once

#include <atomic>
#include <cstdint>
#include <string>

namespace vae_dist {

/// A rank's activity as its heartbeats carry it. All ranks make the same calls in the same order, so the
/// numbers of calls show which ranks have not arrived where others wait. Each rank has its own number of
/// waits (for shared memory, for messages), which says nothing about the other ranks.
struct RankState {
    std::uint64_t calls_begun = 0;   ///< of the communicator
    std::uint64_t calls_ended = 0;   ///< of the communicator
    std::string activity;            ///< the last one that was set; may be empty
    std::uint64_t wait_changes = 0;  ///< begins and ends of waits: odd during a wait

    bool operator==(const RankState&) const = default;
    bool in_call() const { return calls_begun > calls_ended; }
    bool in_wait() const { return wait_changes % 2 == 1; }
    /// Whether the rank only waits for others.
    bool is_waiting() const { return in_call() || in_wait(); }
    std::uint64_t waits_ended() const { return wait_changes / 2; }
};

/// This rank's activity, written by the thread that computes and read by the thread that sends heartbeats.
class ActivityRecord {
 public:
    void begin_call() noexcept { add_one(calls_begun_); }
    void end_call() noexcept { add_one(calls_ended_); }
    void begin_wait() noexcept { add_one(wait_changes_); }
    void end_wait() noexcept { add_one(wait_changes_); }
    /// `activity` is a string literal.
    void set_activity(const char* activity) noexcept { activity_.store(activity, std::memory_order_release); }

    // The ended calls are read first, or a rank could seem to have ended more calls than it began.
    RankState state() const {
        RankState state;
        state.calls_ended = calls_ended_.load(std::memory_order_acquire);
        state.calls_begun = calls_begun_.load(std::memory_order_acquire);
        state.wait_changes = wait_changes_.load(std::memory_order_acquire);
        state.activity = activity_.load(std::memory_order_acquire);
        return state;
    }

 private:
    // Only one thread writes: an atomic addition would have a cost and no use.
    static void add_one(std::atomic<std::uint64_t>& count) noexcept {
        count.store(count.load(std::memory_order_relaxed) + 1, std::memory_order_release);
    }

    std::atomic<std::uint64_t> calls_begun_{0};
    std::atomic<std::uint64_t> calls_ended_{0};
    std::atomic<std::uint64_t> wait_changes_{0};
    std::atomic<const char*> activity_{""};
};

}  // namespace vae_dist
