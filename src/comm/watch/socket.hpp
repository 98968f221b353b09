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

/// None of these calls block unless they say so, and no child process gets what they open.
using Socket = FileDescriptor;

/// Something that one thread waits for together with its sockets, and another sets off, once. Where the
/// system has no event to give, it does not end the wait: who looks at it now and then finds it nevertheless.
class Alarm {
 public:
    Alarm();
    void set_off() noexcept;
    bool is_off() const { return is_off_.load(); }
    int descriptor() const { return event_.descriptor(); }

 private:
    std::atomic<bool> is_off_ = false;
    Socket event_;
};

/// Listens for TCP connections at a free port of all of this machine's addresses. Throws ErrorKind::failure.
Socket listen_anywhere();
std::uint16_t port_of(const Socket& listener);
/// The next who connects; none where nobody waits.
Socket accept_next(const Socket& listener);

/// The numeric addresses at which others may reach this machine, the loopback ones first.
std::vector<std::string> own_addresses();
bool is_loopback(const std::string& address);

/// Begins to connect; the socket can be written to when that is done or has failed. None where it failed at
/// once.
Socket begin_to_connect(const std::string& address, std::uint16_t port);
/// Of a socket that can be written to: whether it is connected.
bool is_connected(const Socket& socket);

/// What became of a call.
struct Transfer {
    std::size_t bytes = 0;
    enum class End {
        open,
        ended,        ///< the other side's process closed the connection, or died
        unreachable,  ///< the network no longer brings us there
    } end = End::open;
};
/// After a call that failed with `error`, of errno. A process is taken for dead only where its system says
/// so: whatever else is the matter is the network's or this machine's, and may pass.
Transfer::End what_became(int error);
/// As much as goes or is there without waiting.
Transfer send_some(const Socket& socket, std::span<const std::byte> bytes);
Transfer receive_some(const Socket& socket, std::span<std::byte> bytes);
/// Tells the other side that nothing more will come.
void end_sending(const Socket& socket);

/// Waits until something happens to one of them, at most so long; less where a signal comes between.
void wait_for_any(std::vector<pollfd>& waiting, std::chrono::milliseconds longest);

/// Allows this process so many open files, as far as its hard limit goes.
void allow_open_files(std::size_t count);

}  // namespace vae_dist
