#include "backend/cpu/threads.hpp"

#include <fmt/format.h>

#include <system_error>

#include "vae_dist/core/error.hpp"
#include "vae_dist/core/program.hpp"
#include "vae_dist/core/signal_thread.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace vae_dist {

namespace {

thread_local bool working = false;

void pause_shortly() {
#if defined(__x86_64__)
    _mm_pause();
#endif
}

// Until done(value).
template <class T, class Done>
void wait_until(const std::atomic<T>& value, int spins, Done done) {
    for (int i = 0; i < spins; ++i) {
        if (done(value.load(std::memory_order_acquire))) return;
        pause_shortly();
    }
    for (T now = value.load(std::memory_order_acquire); !done(now);
         now = value.load(std::memory_order_acquire))
        value.wait(now, std::memory_order_acquire);
}

}  // namespace

bool ThreadTeam::is_working() {
    return working;
}

// Some 50 microseconds; none where others of the team wait for the core.
ThreadTeam::ThreadTeam(int count) : spins_(count <= usable_cores() ? 2000 : 0) {
    try {
        for (int thread = 1; thread < count; ++thread)
            threads_.emplace_back([this, thread] { serve(thread); });
    } catch (const std::system_error& error) {
        end();
        throw Error(ErrorKind::failure,
                    fmt::format("cannot start the {} threads of compute.threads: {}", count, error.what()));
    }
}

ThreadTeam::~ThreadTeam() {
    end();
}

// The threads are joined where threads_ ends.
void ThreadTeam::end() {
    ends_ = true;
    ++round_;
    round_.notify_all();
}

void ThreadTeam::run(const Work& work) {
    work_ = work;
    busy_ = static_cast<std::int32_t>(threads_.size());
    ++round_;
    round_.notify_all();
    working = true;
    work.call(work.job, 0);
    working = false;
    wait_until(busy_, spins_, [](std::int32_t busy) { return busy == 0; });
}

void ThreadTeam::serve(int thread) {
    const FaultStack fault_stack;
    working = true;
    std::uint32_t seen = 0;
    while (true) {
        wait_until(round_, spins_, [&](std::uint32_t round) { return round != seen; });
        seen = round_;
        if (ends_) return;
        work_.call(work_.job, thread);
        if (--busy_ == 0) busy_.notify_one();
    }
}

}  // namespace vae_dist
