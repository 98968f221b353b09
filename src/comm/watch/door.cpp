#include "comm/watch/door.hpp"

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

std::vector<std::string> candidates(const Invitation& invitation) {
    std::vector<std::string> addresses = invitation.addresses;
    if (host_name() != invitation.machine) std::erase_if(addresses, is_loopback);
    return addresses;
}

/// Milliseconds from now, rounded up: a wait of 0 would be none.
std::chrono::milliseconds until(Clock::time_point time) {
    return std::chrono::ceil<std::chrono::milliseconds>(time - Clock::now());
}

// What is sent here fits into what the system keeps of an empty connection.
bool send_whole(const Socket& socket, std::span<const std::byte> bytes) {
    return send_some(socket, bytes).bytes == bytes.size();
}

/// False where the other side does not answer as rank 0 does.
bool shake_hands(const Socket& socket, const Invitation& invitation, int rank, Clock::time_point latest) {
    if (!send_whole(socket, encode(Hello{invitation.guest, static_cast<std::uint32_t>(rank)}))) return false;
    Token answer{};
    std::size_t read = 0;
    while (Clock::now() < latest) {
        const Transfer received = receive_some(socket, std::span(answer).subspan(read));
        read += received.bytes;
        if (read == answer.size()) return answer == invitation.host;
        if (received.end != Transfer::End::open) return false;
        std::vector<pollfd> waiting = {{socket.descriptor(), POLLIN, 0}};
        wait_for_any(waiting, until(latest));
    }
    return false;
}

/// Of those that are being connected the first that is done, taken out; none where it failed, or nothing
/// happened before `latest`.
Socket next_connected(std::vector<Socket>& connecting, Clock::time_point latest) {
    std::vector<pollfd> waiting;
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

Invitation invite_to(const Socket& listener) {
    Invitation invitation;
    invitation.port = port_of(listener);
    invitation.guest = random_token();
    invitation.host = random_token();
    invitation.machine = host_name();
    invitation.addresses = own_addresses();
    return invitation;
}

std::string to_text(const Invitation& invitation) {
    std::string text = fmt::format("{} {} {} {}", invitation.port, to_text(invitation.guest),
                                   to_text(invitation.host), invitation.machine);
    for (const std::string& address : invitation.addresses)
        text += " " + address;
    return text;
}

Invitation invitation_from(const std::string& text) {
    Invitation invitation;
    std::istringstream words(text);
    std::string guest;
    std::string host;
    words >> invitation.port >> guest >> host >> invitation.machine;
    invitation.guest = token_from(guest);
    invitation.host = token_from(host);
    for (std::string address; words >> address;)
        invitation.addresses.push_back(address);
    return invitation;
}

Socket join(const Invitation& invitation, int rank, std::chrono::milliseconds patience) {
    constexpr std::chrono::milliseconds kHeadStart{250};
    if (invitation.port == 0) return {};
    const std::vector<std::string> addresses = candidates(invitation);
    const Clock::time_point latest = Clock::now() + patience;
    Clock::time_point next_start = Clock::now();
    std::vector<Socket> connecting;
    std::size_t tried = 0;
    while (Clock::now() < latest) {
        const bool all_tried = tried == addresses.size();
        if (all_tried && connecting.empty()) return {};
        if (!all_tried && (connecting.empty() || Clock::now() >= next_start)) {
            if (Socket socket = begin_to_connect(addresses[tried], invitation.port)) {
                connecting.push_back(std::move(socket));
            }
            ++tried;
            next_start = Clock::now() + kHeadStart;
            continue;
        }
        Socket socket = next_connected(connecting, all_tried ? latest : std::min(latest, next_start));
        if (!socket) continue;
        // A stranger that says nothing leaves time for the other addresses.
        const Clock::time_point answer = std::min(latest, Clock::now() + patience / 2);
        if (shake_hands(socket, invitation, rank, answer)) return socket;
    }
    return {};
}

Reception::Reception(Socket listener, const Invitation& invitation, int size)
    : listener_(std::move(listener)), invitation_(invitation), size_(size) {
    thread_ = std::jthread([this] {
        try {
            receive_all();
        } catch (const std::exception&) {
            listener_.close();  // who was not taken in is warned of, as one who did not find the way
        }
    });
}

std::map<int, Socket> Reception::close() {
    closing_.set_off();
    if (thread_.joinable()) thread_.join();
    visitors_.clear();
    return std::move(ranks_);
}

void Reception::receive_all() {
    constexpr std::chrono::milliseconds kPause{100};
    while (!closing_.is_off()) {
        std::vector<pollfd> waiting = {{closing_.descriptor(), POLLIN, 0},
                                       {listener_.descriptor(), POLLIN, 0}};
        for (const Visitor& visitor : visitors_)
            waiting.push_back({visitor.socket.descriptor(), POLLIN, 0});
        wait_for_any(waiting, kPause);
        std::erase_if(visitors_, [this](Visitor& visitor) { return !attend(visitor); });
        while (Socket socket = accept_next(listener_)) {
            make_room();
            visitors_.push_back({std::move(socket), {}});
        }
    }
}

// All ranks may come at once, and none of them is to be sent away for a stranger.
void Reception::make_room() {
    constexpr std::size_t kMostStrangers = 256;
    const std::size_t expected = static_cast<std::size_t>(size_) - ranks_.size();
    if (visitors_.size() < expected + kMostStrangers) return;
    attend(visitors_.front());
    visitors_.erase(visitors_.begin());
}

bool Reception::attend(Visitor& visitor) {
    HelloBytes bytes;
    const auto missing = std::span(bytes).first(bytes.size() - visitor.said.size());
    const Transfer received = receive_some(visitor.socket, missing);
    visitor.said.insert(visitor.said.end(), missing.begin(),
                        missing.begin() + static_cast<std::ptrdiff_t>(received.bytes));
    if (visitor.said.size() < bytes.size()) return received.end == Transfer::End::open;
    std::copy(visitor.said.begin(), visitor.said.end(), bytes.begin());
    const Hello hello = decode_hello(bytes);
    const bool ours =
        hello.token == invitation_.guest && hello.rank > 0 && hello.rank < static_cast<std::uint32_t>(size_);
    if (ours && send_whole(visitor.socket, invitation_.host)) {
        ranks_.insert_or_assign(static_cast<int>(hello.rank), std::move(visitor.socket));
    }
    return false;
}

}  // namespace vae_dist
