#include "comm/failure_detector/endpoint.hpp"

#include <algorithm>
#include <array>
#include <exception>
#include <span>
#include <sstream>
#include <utility>

#include "vae_dist/comm/topology.hpp"
#include "vae_dist/core/error.hpp"

namespace vae_dist {

namespace {

using Clock = std::chrono::steady_clock;

std::string to_text(const Token& token) {
    std::string text;
    for (const std::byte byte : token)
        text += fmt::format("{:02x}", std::to_integer<unsigned>(byte));
    return text;
}

Token token_from(const std::string& text) {
    Token token{};
    for (std::size_t i = 0; i < token.size(); ++i) {
        token[i] = static_cast<std::byte>(std::stoul(text.substr(2 * i, 2), nullptr, 16));
    }
    return token;
}

std::vector<std::string> candidates(const Endpoint& endpoint) {
    std::vector<std::string> addresses = endpoint.addresses;
    if (host_name() != endpoint.host) std::erase_if(addresses, is_loopback);
    return addresses;
}

/// Milliseconds from now, rounded up: a wait of 0 would be none.
std::chrono::milliseconds until(Clock::time_point time) {
    return std::chrono::ceil<std::chrono::milliseconds>(time - Clock::now());
}

// The bytes of a handshake fit into the send buffer of a new connection.
bool send_whole(const Socket& socket, std::span<const std::byte> bytes) {
    return send_some(socket, bytes).bytes == bytes.size();
}

/// Sends a handshake and reads the answer; false where the answer does not come from rank 0.
bool do_handshake(const Socket& socket, const Endpoint& endpoint, int rank, Clock::time_point latest) {
    if (!send_whole(socket, encode(Handshake{endpoint.client_token, static_cast<std::uint32_t>(rank)})))
        return false;
    Token answer{};
    std::size_t read = 0;
    while (Clock::now() < latest) {
        const Transfer received = receive_some(socket, std::span(answer).subspan(read));
        read += received.bytes;
        if (read == answer.size()) return answer == endpoint.server_token;
        if (received.state != ConnectionState::open) return false;
        std::vector<pollfd> waiting = {{socket.descriptor(), POLLIN, 0}};
        wait_for_any(waiting, until(latest));
    }
    return false;
}

/// Takes out the first socket whose attempt to connect is over; none where the attempt failed, or where none
/// is over before `latest`.
Socket next_connected(std::vector<Socket>& connecting, Clock::time_point latest) {
    std::vector<pollfd> waiting;
    waiting.reserve(connecting.size());
    for (const Socket& socket : connecting)
        waiting.push_back({socket.descriptor(), POLLOUT, 0});
    wait_for_any(waiting, until(latest));
    for (std::size_t i = 0; i < waiting.size(); ++i) {
        if (waiting[i].revents == 0) continue;
        Socket socket = std::move(connecting[i]);
        connecting.erase(connecting.begin() + static_cast<std::ptrdiff_t>(i));
        return is_connected(socket) ? std::move(socket) : Socket();
    }
    return {};
}

}  // namespace

Endpoint endpoint_of(const Socket& listener) {
    Endpoint endpoint;
    endpoint.port = port_of(listener);
    endpoint.client_token = random_token();
    endpoint.server_token = random_token();
    endpoint.host = host_name();
    endpoint.addresses = own_addresses();
    return endpoint;
}

std::string to_text(const Endpoint& endpoint) {
    std::string text = fmt::format("{} {} {} {}", endpoint.port, to_text(endpoint.client_token),
                                   to_text(endpoint.server_token), endpoint.host);
    for (const std::string& address : endpoint.addresses)
        text += " " + address;
    return text;
}

Endpoint endpoint_from(const std::string& text) {
    Endpoint endpoint;
    std::istringstream words(text);
    std::string client_token;
    std::string server_token;
    words >> endpoint.port >> client_token >> server_token >> endpoint.host;
    endpoint.client_token = token_from(client_token);
    endpoint.server_token = token_from(server_token);
    for (std::string address; words >> address;)
        endpoint.addresses.push_back(address);
    return endpoint;
}

Socket connect_to(const Endpoint& endpoint, int rank, std::chrono::milliseconds timeout) {
    constexpr std::chrono::milliseconds kAttemptDelay{250};  // between attempts, as RFC 8305 recommends
    if (endpoint.port == 0) return {};
    const std::vector<std::string> addresses = candidates(endpoint);
    const Clock::time_point latest = Clock::now() + timeout;
    Clock::time_point next_attempt = Clock::now();
    std::vector<Socket> connecting;
    std::size_t tried = 0;
    while (Clock::now() < latest) {
        const bool all_tried = tried == addresses.size();
        if (all_tried && connecting.empty()) return {};
        if (!all_tried && (connecting.empty() || Clock::now() >= next_attempt)) {
            if (Socket socket = begin_to_connect(addresses[tried], endpoint.port)) {
                connecting.push_back(std::move(socket));
            }
            ++tried;
            next_attempt = Clock::now() + kAttemptDelay;
            continue;
        }
        Socket socket = next_connected(connecting, all_tried ? latest : std::min(latest, next_attempt));
        if (!socket) continue;
        // Half of the time at most for a server that does not answer: the rest is for the other addresses.
        const Clock::time_point answer = std::min(latest, Clock::now() + timeout / 2);
        if (do_handshake(socket, endpoint, rank, answer)) return socket;
    }
    return {};
}

ConnectionAcceptor::ConnectionAcceptor(Socket listener, Endpoint endpoint, int size)
    : listener_(std::move(listener)), endpoint_(std::move(endpoint)), size_(size) {
    thread_ = std::jthread([this] {
        try {
            accept_all();
        } catch (const std::exception&) {
            listener_.close();  // rank 0 warns of each rank whose connection was not accepted
        }
    });
}

std::map<int, Socket> ConnectionAcceptor::finish() {
    stop_.set();
    if (thread_.joinable()) thread_.join();
    clients_.clear();
    return std::move(ranks_);
}

void ConnectionAcceptor::accept_all() {
    constexpr std::chrono::milliseconds kPause{100};
    while (!stop_.is_set()) {
        std::vector<pollfd> waiting = {{stop_.descriptor(), POLLIN, 0}, {listener_.descriptor(), POLLIN, 0}};
        for (const Client& client : clients_)
            waiting.push_back({client.socket.descriptor(), POLLIN, 0});
        wait_for_any(waiting, kPause);
        std::erase_if(clients_, [this](Client& client) { return !continue_handshake(client); });
        while (Socket socket = accept_next(listener_)) {
            make_room();
            clients_.push_back({std::move(socket), {}});
        }
    }
}

// All ranks may connect at once, and none of them is to be dropped in favour of another program.
void ConnectionAcceptor::make_room() {
    constexpr std::size_t kMostOthers = 256;
    const std::size_t expected = static_cast<std::size_t>(size_) - ranks_.size();
    if (clients_.size() < expected + kMostOthers) return;
    continue_handshake(clients_.front());
    clients_.erase(clients_.begin());
}

bool ConnectionAcceptor::continue_handshake(Client& client) {
    HandshakeBytes bytes;
    const auto missing = std::span(bytes).first(bytes.size() - client.received.size());
    const Transfer received = receive_some(client.socket, missing);
    client.received.insert(client.received.end(), missing.begin(),
                           missing.begin() + static_cast<std::ptrdiff_t>(received.bytes));
    if (client.received.size() < bytes.size()) return received.state == ConnectionState::open;
    std::copy(client.received.begin(), client.received.end(), bytes.begin());
    const Handshake handshake = decode_handshake(bytes);
    const bool is_rank = handshake.token == endpoint_.client_token && handshake.rank > 0 &&
                         handshake.rank < static_cast<std::uint32_t>(size_);
    if (is_rank && send_whole(client.socket, endpoint_.server_token)) {
        ranks_.insert_or_assign(static_cast<int>(handshake.rank), std::move(client.socket));
    }
    return false;
}

}  // namespace vae_dist
