#include "vae_dist/core/stop_signals.hpp"

#include <fmt/format.h>

#include <array>
#include <atomic>
#include <csignal>
#include <cstddef>

#include "vae_dist/core/error.hpp"

namespace vae_dist {
namespace {

struct StopSignal {
    int number;
    const char* name;
};

constexpr std::array kStopSignals = {StopSignal{SIGTERM, "SIGTERM"}, StopSignal{SIGINT, "SIGINT"},
                                     StopSignal{SIGHUP, "SIGHUP"}, StopSignal{SIGUSR1, "SIGUSR1"},
                                     StopSignal{SIGUSR2, "SIGUSR2"}};

// A shell ignores SIGINT for its background jobs, nohup ignores SIGHUP: the signal is then not for this
// program.
constexpr bool may_stay_ignored(int signal) {
    return signal == SIGINT || signal == SIGHUP;
}

// Global, as a handler has no other access to the object. It may only use atomics without locks.
std::atomic<bool> installed = false;
std::atomic<int> first_signal = 0;
std::atomic<bool> interrupted = false;
static_assert(std::atomic<int>::is_always_lock_free && std::atomic<bool>::is_always_lock_free);

std::array<struct sigaction, kStopSignals.size()> old_actions;

extern "C" void note_stop_signal(int signal) {
    if (signal == SIGINT && interrupted.exchange(true)) {
        // The signal is blocked in its own handler, and is delivered as soon as the handler returns.
        std::signal(SIGINT, SIG_DFL);
        std::raise(SIGINT);
        return;
    }
    int none = 0;
    first_signal.compare_exchange_strong(none, signal);
}

}  // namespace

StopSignals::StopSignals() {
    require(!installed.exchange(true), "one StopSignals at a time");
    first_signal = 0;
    interrupted = false;
    struct sigaction action = {};
    action.sa_handler = note_stop_signal;
    action.sa_flags = SA_RESTART;
    sigemptyset(&action.sa_mask);
    for (std::size_t i = 0; i < kStopSignals.size(); ++i) {
        const int signal = kStopSignals[i].number;
        sigaction(signal, nullptr, &old_actions[i]);
        const bool keep_ignoring = may_stay_ignored(signal) && old_actions[i].sa_handler == SIG_IGN;
        if (!keep_ignoring) sigaction(signal, &action, nullptr);
    }
}

StopSignals::~StopSignals() {
    for (std::size_t i = 0; i < kStopSignals.size(); ++i)
        sigaction(kStopSignals[i].number, &old_actions[i], nullptr);
    installed = false;
}

int StopSignals::received() const {
    return first_signal;
}

std::string signal_name(int signal) {
    for (const StopSignal& known : kStopSignals) {
        if (known.number == signal) return known.name;
    }
    return fmt::format("signal {}", signal);
}

}  // namespace vae_dist
