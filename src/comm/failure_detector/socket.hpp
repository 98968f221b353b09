#pragma once

#include <poll.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "comm/file_descriptor.hpp"

namespace vae_dist {

/// A socket. None of the functions below block unless they say so, and child processes do not inherit what
/// they open.
using Socket = FileDescriptor;

/// A flag that one thread sets, once, and another can wait for together with its sockets. Where the system
/// has no event descriptor left, setting it does not end the wait: `is_set` is then found at the next look.
class StopEvent {
 public:
    StopEvent();
    void set() noexcept;
    bool is_set() const { return is_set_.load(); }
    int descriptor() const { return event_.descriptor(); }

 private:
    std::atomic<bool> is_set_ = false;
    Socket event_;
};

/// A socket that listens for TCP connections at a free port of all addresses of this host. Throws
/// ErrorKind::failure.
Socket listen_on_all_addresses();
std::uint16_t port_of(const Socket& listener);
/// The next connection; none where no client waits.
Socket accept_next(const Socket& listener);

/// The numeric addresses of this host, the loopback ones first.
std::vector<std::string> own_addresses();
bool is_loopback(const std::string& address);

/// Begins to connect; the socket can be written to when the attempt has succeeded or failed. None where it
/// failed at once.
Socket begin_to_connect(const std::string& address, std::uint16_t port);
/// Whether a socket that can be written to is connected.
bool is_connected(const Socket& socket);

enum class ConnectionState {
    open,
    closed,       ///< by the peer: its process closed the connection, or died
    unreachable,  ///< the network no longer leads to the peer
};

/// The result of a send or a receive.
struct Transfer {
    std::size_t bytes = 0;
    ConnectionState state = ConnectionState::open;
};
/// The state after a call that failed with `error`, of errno. A peer counts as dead only where its system
/// says so: all other errors are the network's or this host's, and may pass.
ConnectionState state_after(int error);
/// Transfers as many bytes as is possible without a wait.
Transfer send_some(const Socket& socket, std::span<const std::byte> bytes);
Transfer receive_some(const Socket& socket, std::span<std::byte> bytes);
/// Tells the peer that no more bytes follow.
void end_sending(const Socket& socket);

/// Blocks until one of the descriptors is ready, at most for `longest`; shorter where a signal arrives.
void wait_for_any(std::vector<pollfd>& waiting, std::chrono::milliseconds longest);

/// Raises the limit of open files of this process to `count`, as far as the hard limit allows.
void allow_open_files(std::size_t count);

}  // namespace vae_dist
