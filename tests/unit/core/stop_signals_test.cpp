#include "vae_dist/core/stop_signals.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "support/child_process.hpp"
#include "vae_dist/core/error.hpp"

namespace vae_dist {
namespace {

using Handler = void (*)(int);

Handler handler_of(int signal) {
    struct sigaction action = {};
    sigaction(signal, nullptr, &action);
    return action.sa_handler;
}

TEST(StopSignals, NothingIsReceivedAtFirst) {
    const StopSignals signals;
    EXPECT_EQ(signals.received(), 0);
}

TEST(StopSignals, EachOfTheFiveIsNotedAndTheProcessGoesOn) {
    for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2}) {
        const StopSignals signals;
        raise(signal);
        EXPECT_EQ(signals.received(), signal);
    }
}

TEST(StopSignals, TheFirstOneIsKept) {
    const StopSignals signals;
    raise(SIGUSR2);
    raise(SIGTERM);
    raise(SIGINT);
    EXPECT_EQ(signals.received(), SIGUSR2);
}

TEST(StopSignals, TheSecondInterruptEndsTheProcessByThatSignal) {
    const int status = status_of_child([] {
        const StopSignals signals;
        raise(SIGINT);
        if (signals.received() != SIGINT) _exit(1);
        raise(SIGINT);
    });
    ASSERT_TRUE(WIFSIGNALED(status)) << status;
    EXPECT_EQ(WTERMSIG(status), SIGINT);
}

TEST(StopSignals, AnInterruptAfterAnotherSignalIsNoSecondInterrupt) {
    const int status = status_of_child([] {
        const StopSignals signals;
        raise(SIGTERM);
        raise(SIGTERM);
        raise(SIGINT);
    });
    EXPECT_EQ(status, 0);
}

TEST(StopSignals, ANewObjectStartsAfresh) {
    const int status = status_of_child([] {
        {
            const StopSignals signals;
            raise(SIGINT);
        }
        const StopSignals signals;
        if (signals.received() != 0) _exit(1);
        raise(SIGINT);
        if (signals.received() != SIGINT) _exit(2);
    });
    EXPECT_EQ(status, 0);
}

TEST(StopSignals, WhatTheSignalsDidBeforeIsRestored) {
    const int status = status_of_child([] {
        std::signal(SIGTERM, SIG_IGN);
        std::signal(SIGUSR1, SIG_DFL);
        {
            const StopSignals signals;
            if (handler_of(SIGTERM) == SIG_IGN || handler_of(SIGUSR1) == SIG_DFL) _exit(1);
        }
        if (handler_of(SIGTERM) != SIG_IGN || handler_of(SIGUSR1) != SIG_DFL) _exit(2);
    });
    EXPECT_EQ(status, 0);
}

TEST(StopSignals, AnIgnoredInterruptOrHangUpStaysIgnoredAndTheOthersAreHeeded) {
    const int status = status_of_child([] {
        for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2})
            std::signal(signal, SIG_IGN);
        const StopSignals signals;
        raise(SIGINT);
        raise(SIGINT);
        raise(SIGHUP);
        if (signals.received() != 0) _exit(1);
        raise(SIGUSR1);
        if (signals.received() != SIGUSR1) _exit(2);
    });
    EXPECT_EQ(status, 0);
}

TEST(StopSignals, ACallThatWaitsGoesOnAfterASignal) {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const int status = status_of_child([&] {
        const StopSignals signals;
        const pid_t parent = getpid();
        if (fork() == 0) {
            // The reader may be interrupted anywhere before the byte comes; most often while it waits.
            for (int i = 0; i < 20; ++i) {
                kill(parent, SIGUSR1);
                usleep(5000);
            }
            _exit(write(ends[1], "x", 1) == 1 ? 0 : 1);
        }
        char byte = 0;
        if (read(ends[0], &byte, 1) != 1 || byte != 'x') _exit(1);
        if (signals.received() != SIGUSR1) _exit(2);
        wait(nullptr);
    });
    EXPECT_EQ(status, 0);
    close(ends[0]);
    close(ends[1]);
}

TEST(StopSignals, ThereIsOneAtATime) {
    const StopSignals signals;
    EXPECT_THROW(StopSignals(), Error);
    raise(SIGUSR1);
    EXPECT_EQ(signals.received(), SIGUSR1);
}

TEST(StopSignals, SignalsHaveNames) {
    EXPECT_EQ(signal_name(SIGTERM), "SIGTERM");
    EXPECT_EQ(signal_name(SIGINT), "SIGINT");
    EXPECT_EQ(signal_name(SIGHUP), "SIGHUP");
    EXPECT_EQ(signal_name(SIGUSR1), "SIGUSR1");
    EXPECT_EQ(signal_name(SIGUSR2), "SIGUSR2");
    EXPECT_EQ(signal_name(7), "signal 7");
}

}  // namespace
}  // namespace vae_dist
