#pragma once

#include <cstddef>
#include <vector>

#include "comm/watch/message.hpp"
#include "comm/watch/socket.hpp"

namespace vae_dist {

/// A connection that carries the watch's messages, without ever waiting for it.
class Link {
 public:
    explicit Link(Socket socket) : socket_(std::move(socket)) {}

    /// Of a message that does not go out now the rest goes with a later one; a `state` that finds such a rest
    /// is dropped, for there will be newer ones.
    void send(const WatchMessage& message);
    /// Sends what is left of earlier messages.
    void flush();
    bool has_unsent() const { return !unsent_.empty(); }
    /// Nothing more will be sent.
    void end_sending() { vae_dist::end_sending(socket_); }

    /// What has come since the last call.
    std::vector<WatchMessage> receive();

    /// As of the last send or receive. A link that brought something else than a message is out of use as one
    /// that brings nothing: unreachable.
    Transfer::End end() const { return end_; }
    bool is_open() const { return socket_ && end_ == Transfer::End::open; }
    /// `is_open` is then false, and `end` what it was.
    void close() noexcept { socket_.close(); }

    /// For `poll`; -1 where it is closed.
    int descriptor() const { return is_open() ? socket_.descriptor() : -1; }

 private:
    Socket socket_;
    std::vector<std::byte> unsent_;
    std::vector<std::byte> unread_;  ///< the beginning of a message
    Transfer::End end_ = Transfer::End::open;
};

/// Sends a last message over all links and waits, for a second at most, until the other sides have closed
/// theirs: where a process ends with messages unread, those that it has just sent may be lost.
void take_leave(std::vector<Link> links, const WatchMessage& last);

}  // namespace vae_dist
