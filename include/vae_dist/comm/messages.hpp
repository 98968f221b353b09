#pragma once

#include <cstddef>
#include <span>

namespace vae_dist {

/// Messages between pairs of ranks that travel while both compute. Between two ranks they arrive in the order
/// in which they were sent. `Communicator::make_messages` makes it; messages of two objects never mix.
///
/// The destructor cancels messages that are under way, after an exception, as far as that is possible. It
/// waits for no other rank; memory that was given to the object must therefore outlive it.
class Messages {
 public:
    virtual ~Messages() = default;

    /// Starts to send `bytes` to another rank. They may not change until `wait_all` returns, and may be
    /// empty. A failure for more bytes than one message can carry (2^31 - 1 with MPI).
    virtual void send(std::span<const std::byte> bytes, int to) = 0;

    /// Starts to receive the next message from `from` into `into`, which may be longer than the message.
    /// Returns the receive's number, counted from 0 since the last `wait_all`. A message that is longer than
    /// `into` is a failure, thrown by the call that finds it.
    virtual std::size_t receive(std::span<std::byte> into, int from) = 0;

    /// Advances all messages as far as that is possible without a wait.
    virtual void progress() = 0;

    /// Whether receive number `n` is complete; advances messages, but does not wait.
    virtual bool has_received(std::size_t n) = 0;

    /// The length in bytes of the message of receive number `n`, which is complete.
    virtual std::size_t received(std::size_t n) const = 0;

    /// Waits until receive number `n` is complete.
    virtual void wait_for(std::size_t n) = 0;

    /// Waits until all sends and receives are complete, and forgets them. A send may be complete only when
    /// the other rank receives it.
    virtual void wait_all() = 0;
};

}  // namespace vae_dist
