#pragma once

#include <cstddef>
#include <vector>

#include "comm/failure_detector/message.hpp"
#include "comm/failure_detector/socket.hpp"

namespace vae_dist {

/// A connection for the failure detector's messages, none of whose functions block.
class MessageConnection {
 public:
    explicit MessageConnection(Socket socket) : socket_(std::move(socket)) {}

    /// Sends a message. What does not go out at once is sent with a later message. A heartbeat that would
    /// have to wait for such a rest is dropped, for newer ones follow.
    void send(const DetectorMessage& message);
    /// Sends what is left of earlier messages.
    void flush();
    bool has_unsent() const { return !unsent_.empty(); }
    /// Tells the peer that no more messages follow.
    void end_sending() { vae_dist::end_sending(socket_); }

    /// The messages that have arrived since the last call.
    std::vector<DetectorMessage> receive();

    /// The state as of the last send or receive. A connection that carried something other than a message is
    /// unreachable.
    ConnectionState state() const { return state_; }
    bool is_open() const { return socket_ && state_ == ConnectionState::open; }
    /// Closes the socket: `is_open` is then false, and `state` unchanged.
    void close() noexcept { socket_.close(); }

    /// The descriptor for `poll`; -1 where the connection is not open.
    int descriptor() const { return is_open() ? socket_.descriptor() : -1; }

 private:
    Socket socket_;
    std::vector<std::byte> unsent_;
    std::vector<std::byte> unread_;  ///< the beginning of a message
    ConnectionState state_ = ConnectionState::open;
};

/// Sends a last message over all connections and waits, for a second at most, until the peers have closed
/// their ends. Where a process ends with messages unread, the system may drop those that it has just sent.
void send_last(std::vector<MessageConnection> connections, const DetectorMessage& last);

}  // namespace vae_dist
