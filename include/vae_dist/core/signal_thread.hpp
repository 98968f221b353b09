#pragma once

#include <csignal>
#include <cstddef>
#include <memory>
#include <thread>

namespace vae_dist {

/// Blocks each signal that can be blocked in the calling thread, and so in every thread that it starts later.
/// Called first of all, it also makes sure that a signal on the way out of the program, when handlers are
/// gone, does not change its exit status.
void block_signals();

/// The only thread of the process on which handlers of signals run, ours and those of libraries.
///
/// The calling thread blocks all signals, as block_signals does; this one blocks none, and only waits. Code
/// that computes is therefore never interrupted: products of oneDNN keep numbers below their stack pointer,
/// where the system would put the frame of a handler. A signal without a handler still does what the system
/// does by default, for one thread takes it. What cannot be blocked are faults: see FaultStack.
///
/// Make it before MPI and other libraries start threads. One object at a time.
class SignalThread {
 public:
    SignalThread();
    /// Ends the thread, and restores what the calling thread blocked before.
    ~SignalThread();
    SignalThread(const SignalThread&) = delete;
    SignalThread& operator=(const SignalThread&) = delete;

 private:
    sigset_t blocked_before_{};
    int end_ = -1;  ///< a descriptor to which the end is written
    std::jthread thread_;
};

/// A stack of its own for the handlers of faults (SIGSEGV and its like) in the thread that makes it.
class FaultStack {
 public:
    FaultStack();
    /// On the same thread.
    ~FaultStack();
    FaultStack(const FaultStack&) = delete;
    FaultStack& operator=(const FaultStack&) = delete;

 private:
    stack_t before_{};
    std::unique_ptr<std::byte[]> stack_;
};

/// Sends the handlers of faults that libraries have installed so far, as MPI does at its start, to the
/// threads' fault stacks.
void move_fault_handlers_to_fault_stacks();

}  // namespace vae_dist
