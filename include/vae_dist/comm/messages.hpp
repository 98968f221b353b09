#pragma once

#include <cstddef>
#include <span>

namespace vae_dist {

/// Messages between pairs of ranks that travel while both compute. Between two ranks they arrive in the order
/// in which they were sent. `Communicator::make_messages` makes it; what two objects carry never mixes.
///
/// Destroyed while messages are under way, by an error on its way out, it calls them off as far as that goes
/// and waits for no other rank; memory that was given to it must therefore outlive it.
class Messages {
 public:
    virtual ~Messages() = default;

    /// Starts sending; `bytes` stay untouched until `wait_all` returns. Not to this rank itself. May be
    /// empty; an input error for more than one message can carry (2^31 - 1 with MPI).
    virtual void send(std::span<const std::byte> bytes, int to) = 0;

    /// Starts receiving the next message from `from` into `into`, which may be longer than the message;
    /// returns the receive's number, counted from 0 since the last `wait_all`. A message that is longer than
    /// its place is a failure, thrown by the call that finds it.
    virtual std::size_t receive(std::span<std::byte> into, int from) = 0;

    /// Moves what can be moved, without waiting.
    virtual void progress() = 0;

    /// True once receive number `n` is complete; looks, and moves what can be moved, but does not wait.
    virtual bool has_received(std::size_t n) = 0;

    /// The length in bytes of the message that receive number `n`, complete, took in.
    virtual std::size_t received(std::size_t n) const = 0;

    /// Waits until receive number `n` is complete.
    virtual void wait_for(std::size_t n) = 0;

    /// Waits until all that was started is complete, and forgets it. That of a send may take until the other
    /// rank receives it.
    virtual void wait_all() = 0;
};

}  // namespace vae_dist
