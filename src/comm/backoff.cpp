#include "vae_dist/comm/backoff.hpp"

#include <sched.h>

#include <thread>

namespace vae_dist {

namespace {

void spin_once() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
}

}  // namespace

void Backoff::pause() {
    using Clock = std::chrono::steady_clock;
    constexpr std::chrono::milliseconds kYielding{1};
    constexpr std::chrono::microseconds kSleep{50};
    if (pauses_ < kSpins) {
        spin_once();
        if (++pauses_ == kSpins) start_ = Clock::now();
        return;
    }
    if (Clock::now() - start_ < kYielding) {
        ::sched_yield();
    } else {
        std::this_thread::sleep_for(kSleep);
    }
}

}  // namespace vae_dist
