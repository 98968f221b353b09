#include "comm/failure_detector/socket.hpp"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>
#include <memory>

#include "vae_dist/core/error.hpp"

namespace vae_dist {

namespace {

void set_option(const Socket& socket, int level, int option, int value) {
    // Each option improves the connection; none is needed.
    static_cast<void>(::setsockopt(socket.descriptor(), level, option, &value, sizeof value));
}

void prepare(const Socket& connection) {
    set_option(connection, IPPROTO_TCP, TCP_NODELAY, 1);
    set_option(connection, SOL_SOCKET, SO_KEEPALIVE, 1);
}

/// One address of either family, with a port.
struct Address {
    sockaddr_storage storage{};
    socklen_t length = 0;

    const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
    int family() const { return storage.ss_family; }
};

/// An address from its text; of no family where the text is no address.
Address parse(const std::string& text, std::uint16_t port) {
    Address address;
    sockaddr_in ipv4{};
    sockaddr_in6 ipv6{};
    if (::inet_pton(AF_INET, text.c_str(), &ipv4.sin_addr) == 1) {
        ipv4.sin_family = AF_INET;
        ipv4.sin_port = htons(port);
        address.length = sizeof ipv4;
        std::memcpy(&address.storage, &ipv4, sizeof ipv4);
    } else if (::inet_pton(AF_INET6, text.c_str(), &ipv6.sin6_addr) == 1) {
        ipv6.sin6_family = AF_INET6;
        ipv6.sin6_port = htons(port);
        address.length = sizeof ipv6;
        std::memcpy(&address.storage, &ipv6, sizeof ipv6);
    }
    return address;
}

Socket open_tcp(int family) {
    return Socket(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

Socket listen_at(const std::string& address) {
    const Address any = parse(address, 0);
    Socket socket = open_tcp(any.family());
    if (!socket) return {};
    if (any.family() == AF_INET6) set_option(socket, IPPROTO_IPV6, IPV6_V6ONLY, 0);
    if (::bind(socket.descriptor(), any.get(), any.length) != 0) return {};
    if (::listen(socket.descriptor(), SOMAXCONN) != 0) return {};
    return socket;
}

/// Empty for an address that other hosts cannot use as it is: a link-local IPv6 address needs the name of an
/// interface, too.
std::string as_text(const sockaddr* address) {
    char text[INET6_ADDRSTRLEN] = "";
    if (address->sa_family == AF_INET) {
        sockaddr_in ipv4{};
        std::memcpy(&ipv4, address, sizeof ipv4);
        ::inet_ntop(AF_INET, &ipv4.sin_addr, text, sizeof text);
    } else if (address->sa_family == AF_INET6) {
        sockaddr_in6 ipv6{};
        std::memcpy(&ipv6, address, sizeof ipv6);
        if (!IN6_IS_ADDR_LINKLOCAL(&ipv6.sin6_addr)) {
            ::inet_ntop(AF_INET6, &ipv6.sin6_addr, text, sizeof text);
        }
    }
    return text;
}

}  // namespace

StopEvent::StopEvent() : event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

void StopEvent::set() noexcept {
    is_set_.store(true);
    const std::uint64_t one = 1;
    if (event_) static_cast<void>(!::write(event_.descriptor(), &one, sizeof one));
}

Socket listen_on_all_addresses() {
    Socket socket = listen_at("::");
    if (!socket) socket = listen_at("0.0.0.0");
    if (!socket) throw_failure("cannot listen for TCP connections: {}", std::strerror(errno));
    return socket;
}

std::uint16_t port_of(const Socket& listener) {
    sockaddr_storage storage{};
    socklen_t length = sizeof storage;
    if (::getsockname(listener.descriptor(), reinterpret_cast<sockaddr*>(&storage), &length) != 0) {
        throw_failure("cannot ask for the port of a socket: {}", std::strerror(errno));
    }
    sockaddr_in6 ipv6{};  // its port is at the same place as in sockaddr_in
    std::memcpy(&ipv6, &storage, sizeof ipv6);
    return ntohs(ipv6.sin6_port);
}

Socket accept_next(const Socket& listener) {
    Socket socket(::accept4(listener.descriptor(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (socket) prepare(socket);
    return socket;
}

std::vector<std::string> own_addresses() {
    ifaddrs* first = nullptr;
    if (::getifaddrs(&first) != 0) {
        throw_failure("cannot ask for this machine's network addresses: {}", std::strerror(errno));
    }
    const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> owner(first, ::freeifaddrs);
    std::vector<std::string> addresses;
    for (const ifaddrs* entry = first; entry != nullptr; entry = entry->ifa_next) {
        if (entry->ifa_addr == nullptr || (entry->ifa_flags & IFF_UP) == 0) continue;
        const std::string text = as_text(entry->ifa_addr);
        if (!text.empty()) addresses.push_back(text);
    }
    std::stable_partition(addresses.begin(), addresses.end(), is_loopback);
    return addresses;
}

bool is_loopback(const std::string& address) {
    return address == "::1" || address.starts_with("127.");
}

Socket begin_to_connect(const std::string& address, std::uint16_t port) {
    const Address to = parse(address, port);
    if (to.length == 0) return {};
    Socket socket = open_tcp(to.family());
    if (!socket) return {};
    prepare(socket);
    const bool begun =
        ::connect(socket.descriptor(), to.get(), to.length) == 0 || errno == EINPROGRESS || errno == EINTR;
    return begun ? std::move(socket) : Socket();
}

bool is_connected(const Socket& socket) {
    int error = 0;
    socklen_t length = sizeof error;
    return ::getsockopt(socket.descriptor(), SOL_SOCKET, SO_ERROR, &error, &length) == 0 && error == 0;
}

ConnectionState state_after(int error) {
    switch (error) {
        case EAGAIN:
        case EINTR:
        case ENOBUFS:
        case ENOMEM:
            return ConnectionState::open;
        case ECONNRESET:
        case EPIPE:
            return ConnectionState::closed;
        default:
            return ConnectionState::unreachable;
    }
}

Transfer send_some(const Socket& socket, std::span<const std::byte> bytes) {
    const ssize_t sent = ::send(socket.descriptor(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0) return {0, state_after(errno)};
    return {static_cast<std::size_t>(sent), ConnectionState::open};
}

Transfer receive_some(const Socket& socket, std::span<std::byte> bytes) {
    const ssize_t received = ::recv(socket.descriptor(), bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (received < 0) return {0, state_after(errno)};
    return {static_cast<std::size_t>(received),
            received > 0 ? ConnectionState::open : ConnectionState::closed};
}

void end_sending(const Socket& socket) {
    ::shutdown(socket.descriptor(), SHUT_WR);
}

void wait_for_any(std::vector<pollfd>& waiting, std::chrono::milliseconds longest) {
    const auto most = static_cast<std::chrono::milliseconds::rep>(std::numeric_limits<int>::max());
    const auto milliseconds =
        static_cast<int>(std::clamp<std::chrono::milliseconds::rep>(longest.count(), 0, most));
    if (::poll(waiting.data(), waiting.size(), milliseconds) >= 0) return;
    if (errno != EINTR)
        throw_failure("cannot wait for the connections of the failure detector: {}", std::strerror(errno));
    for (pollfd& one : waiting)
        one.revents = 0;
}

void allow_open_files(std::size_t count) {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= count) return;
    limit.rlim_cur = std::min<rlim_t>(count, limit.rlim_max);
    // Where this fails, a warning names the ranks that then have no connection.
    static_cast<void>(::setrlimit(RLIMIT_NOFILE, &limit));
}

}  // namespace vae_dist
