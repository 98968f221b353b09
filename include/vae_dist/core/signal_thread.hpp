#pragma once

#include <csignal>
#include <cstddef>
#include <memory>
#include <thread>

namespace vae_dist {

/// Blocks all signals but faults in the calling thread, and so in every thread that it starts later. Where
/// this is the first call of `main`, a signal at the end of the program, when handlers are removed, does not
/// change the exit status.
void block_signals();

/// The only thread of the process on which signal handlers run, of this program and of libraries.
///
/// The calling thread blocks signals, as block_signals does; this thread blocks none, and only waits. Code
/// that computes is therefore never interrupted: products of oneDNN keep numbers below their stack pointer,
/// where the system would put the frame of a handler. A signal without a handler still has its default
/// effect, for one thread accepts it. Faults cannot be blocked: see FaultStack.
///
/// It must be made before MPI and other libraries start threads. One object at a time.
class SignalThread {
 public:
    SignalThread();
    /// Ends the thread, and restores the signal mask of the calling thread.
    ~SignalThread();
    SignalThread(const SignalThread&) = delete;
    SignalThread& operator=(const SignalThread&) = delete;

 private:
    sigset_t blocked_before_{};
    int end_ = -1;  ///< an eventfd that ends the thread
    std::jthread thread_;
};

/// A separate stack for the handlers of faults (SIGSEGV and others) in the thread that makes the object.
class FaultStack {
 public:
    FaultStack();
    /// Restores the stack before; on the same thread.
    ~FaultStack();
    FaultStack(const FaultStack&) = delete;
    FaultStack& operator=(const FaultStack&) = delete;

 private:
    stack_t before_{};
    std::unique_ptr<std::byte[]> stack_;
};

/// Moves the handlers of faults that libraries have installed so far, as MPI does at its start, to the fault
/// stacks of threads.
void move_fault_handlers_to_fault_stacks();

}  // namespace vae_dist
