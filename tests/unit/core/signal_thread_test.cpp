#include "vae_dist/core/signal_thread.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <thread>

#include "support/child_process.hpp"
#include "vae_dist/core/error.hpp"
#include "vae_dist/core/stop_signals.hpp"

namespace vae_dist {
namespace {

constexpr std::chrono::seconds kPatience{60};

std::atomic<int> handled = 0;
std::atomic<pid_t> handler_thread = 0;

extern "C" void note_thread(int /*signal*/) {
    handler_thread = gettid();
    ++handled;
}

void handle(int signal) {
    struct sigaction action = {};
    action.sa_handler = note_thread;
    sigaction(signal, &action, nullptr);
}

bool comes_true(const auto& condition) {
    const auto end = std::chrono::steady_clock::now() + kPatience;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > end) return false;
        std::this_thread::yield();
    }
    return true;
}

bool blocks(int signal) {
    sigset_t mask;
    pthread_sigmask(SIG_SETMASK, nullptr, &mask);
    return sigismember(&mask, signal) == 1;
}

// Each but those that no program can handle, and faults.
bool can_be_blocked(int signal) {
    constexpr std::array kOthers = {SIGKILL, SIGSTOP, SIGSEGV, SIGBUS, SIGFPE,
                                    SIGILL,  SIGTRAP, SIGSYS,  SIGABRT};
    return std::find(kOthers.begin(), kOthers.end(), signal) == kOthers.end();
}

TEST(SignalThread, HandlersRunOnItAloneWhateverOtherThreadsThereAre) {
    const SignalThread signals;
    std::atomic<bool> ends = false;
    std::jthread busy([&] {
        while (!ends) {
        }
    });
    for (int signal = 1; signal <= SIGRTMAX; ++signal) {
        if (!can_be_blocked(signal) || (signal > SIGSYS && signal < SIGRTMIN)) continue;
        handled = 0;
        handle(signal);
        kill(getpid(), signal);
        EXPECT_TRUE(comes_true([] { return handled != 0; })) << signal;
        EXPECT_NE(handler_thread, gettid()) << signal;
        EXPECT_NE(handler_thread, 0) << signal;
        std::signal(signal, SIG_DFL);
    }
    ends = true;
}

TEST(SignalThread, ThisThreadAndLaterOnesBlockWhatCanBeBlocked) {
    const SignalThread signals;
    const auto expect_all_blocked = [] {
        for (int signal = 1; signal <= SIGSYS; ++signal) {
            if (signal == SIGKILL || signal == SIGSTOP) continue;
            EXPECT_EQ(blocks(signal), can_be_blocked(signal)) << signal;
        }
    };
    expect_all_blocked();
    std::jthread(expect_all_blocked).join();
}

TEST(SignalThread, WithoutAHandlerASignalDoesWhatItDoesByDefault) {
    for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGALRM, SIGQUIT}) {
        const int status = status_of_child([&] {
            const SignalThread signals;
            kill(getpid(), signal);
            std::this_thread::sleep_for(kPatience);
        });
        ASSERT_TRUE(WIFSIGNALED(status)) << status;
        EXPECT_EQ(WTERMSIG(status), signal);
    }
}

TEST(SignalThread, ItsEndRestoresWhatWasBlocked) {
    sigset_t mask;
    sigemptyset(&mask);
    sigaddset(&mask, SIGUSR2);
    pthread_sigmask(SIG_SETMASK, &mask, nullptr);
    { const SignalThread signals; }
    EXPECT_TRUE(blocks(SIGUSR2));
    EXPECT_FALSE(blocks(SIGUSR1));
    sigemptyset(&mask);
    pthread_sigmask(SIG_SETMASK, &mask, nullptr);
}

// As at the end of main: the thread and the handlers are gone, the process is not.
TEST(SignalThread, ASignalOnTheWayOutChangesNoExitStatus) {
    const int status = status_of_child([] {
        block_signals();
        {
            const StopSignals stop;
            const SignalThread signals;
        }
        for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2})
            kill(getpid(), signal);
        _exit(75);
    });
    ASSERT_TRUE(WIFEXITED(status)) << status;
    EXPECT_EQ(WEXITSTATUS(status), 75);
}

TEST(SignalThread, ThereIsOneAtATime) {
    const SignalThread signals;
    EXPECT_THROW(SignalThread(), Error);
}

extern "C" void leave_if_on_another_stack(int /*signal*/) {
    stack_t stack{};
    sigaltstack(nullptr, &stack);
    _exit((stack.ss_flags & SS_ONSTACK) != 0 ? 7 : 8);
}

TEST(FaultStack, AFaultsHandlerThatALibraryInstalledRunsOnIt) {
    for (const bool in_a_thread : {false, true}) {
        const int status = status_of_child([&] {
            std::signal(SIGSEGV, leave_if_on_another_stack);
            move_fault_handlers_to_fault_stacks();
            const auto fault = [] {
                const FaultStack stack;
                raise(SIGSEGV);
            };
            if (in_a_thread) {
                std::jthread(fault).join();
            } else {
                fault();
            }
        });
        ASSERT_TRUE(WIFEXITED(status)) << status;
        EXPECT_EQ(WEXITSTATUS(status), 7);
    }
}

TEST(FaultStack, AFaultWithoutAHandlerEndsTheProcessAsEver) {
    const int status = status_of_child([] {
        std::signal(SIGSEGV, SIG_DFL);
        move_fault_handlers_to_fault_stacks();
        raise(SIGSEGV);
    });
    ASSERT_TRUE(WIFSIGNALED(status)) << status;
    EXPECT_EQ(WTERMSIG(status), SIGSEGV);
}

}  // namespace
}  // namespace vae_dist
