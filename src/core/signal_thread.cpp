#include "vae_dist/core/signal_thread.hpp"

#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <system_error>

#include "vae_dist/core/error.hpp"

namespace vae_dist {
namespace {

// Signals that the processor raises in the thread at fault; if blocked, they end the process without a
// message.
constexpr std::array kFaults = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT};

std::atomic<bool> exists = false;

sigset_t all_but_faults() {
    sigset_t signals;
    sigfillset(&signals);
    for (const int fault : kFaults)
        sigdelset(&signals, fault);
    return signals;
}

void wait_for_signals(int end) {
    pthread_setname_np(pthread_self(), "signals");
    sigset_t none;
    sigemptyset(&none);
    pthread_sigmask(SIG_SETMASK, &none, nullptr);
    std::uint64_t count = 0;
    // Handlers run during this wait; some of them interrupt the call.
    while (::read(end, &count, sizeof(count)) < 0 && errno == EINTR) {
    }
}

}  // namespace

void block_signals() {
    const sigset_t blocked = all_but_faults();
    pthread_sigmask(SIG_BLOCK, &blocked, nullptr);
}

SignalThread::SignalThread() {
    require(!exists.exchange(true), "one SignalThread at a time");
    end_ = ::eventfd(0, EFD_CLOEXEC);
    if (end_ < 0) throw_failure("cannot make a descriptor for signals: {}", std::strerror(errno));
    pthread_sigmask(SIG_BLOCK, nullptr, &blocked_before_);
    block_signals();
    try {
        thread_ = std::jthread([end = end_] { wait_for_signals(end); });
    } catch (const std::system_error& error) {
        throw_failure("cannot start a thread for signals: {}", error.what());
    }
}

SignalThread::~SignalThread() {
    const std::uint64_t one = 1;
    while (::write(end_, &one, sizeof(one)) < 0 && errno == EINTR) {
    }
    thread_.join();
    ::close(end_);
    pthread_sigmask(SIG_SETMASK, &blocked_before_, nullptr);
    exists = false;
}

FaultStack::FaultStack() {
    constexpr std::size_t kBytes = std::size_t{64}
                                   << 10;  // the registers of AVX-512 and AMX are 11 KiB of it
    stack_ = std::make_unique<std::byte[]>(kBytes);
    stack_t stack{};
    stack.ss_sp = stack_.get();
    stack.ss_size = kBytes;
    require(sigaltstack(&stack, &before_) == 0, "a thread takes an alternate stack");
}

FaultStack::~FaultStack() {
    sigaltstack(&before_, nullptr);
}

void move_fault_handlers_to_fault_stacks() {
    for (const int fault : kFaults) {
        struct sigaction action {};
        sigaction(fault, nullptr, &action);
        if (action.sa_handler == SIG_DFL || action.sa_handler == SIG_IGN) continue;
        action.sa_flags |= SA_ONSTACK;
        sigaction(fault, &action, nullptr);
    }
}

}  // namespace vae_dist
