#include "comm/failure_detector/message_connection.hpp"

#include <algorithm>
#include <array>
#include <chrono>

namespace vae_dist {

void MessageConnection::send(const DetectorMessage& message) {
    flush();
    if (!is_open() || (has_unsent() && message.kind == DetectorMessage::Kind::heartbeat)) return;
    const MessageBytes bytes = encode(message);
    unsent_.insert(unsent_.end(), bytes.begin(), bytes.end());
    flush();
}

// That the peer has closed the connection is found by reading, after all that it sent.
void MessageConnection::flush() {
    if (!is_open() || unsent_.empty()) return;
    const Transfer sent = send_some(socket_, unsent_);
    if (sent.state == ConnectionState::unreachable) state_ = sent.state;
    unsent_.erase(unsent_.begin(), unsent_.begin() + static_cast<std::ptrdiff_t>(sent.bytes));
}

std::vector<DetectorMessage> MessageConnection::receive() {
    std::vector<DetectorMessage> messages;
    while (is_open()) {
        std::array<std::byte, 16 * kMessageBytes> bytes{};
        const Transfer received = receive_some(socket_, bytes);
        state_ = received.state;
        if (received.bytes == 0) break;
        unread_.insert(unread_.end(), bytes.begin(),
                       bytes.begin() + static_cast<std::ptrdiff_t>(received.bytes));
        std::size_t read = 0;
        for (; unread_.size() - read >= kMessageBytes; read += kMessageBytes) {
            const auto message = decode(std::span(unread_).subspan(read).first<kMessageBytes>());
            if (!message) {
                state_ = ConnectionState::unreachable;
                return messages;
            }
            messages.push_back(*message);
        }
        unread_.erase(unread_.begin(), unread_.begin() + static_cast<std::ptrdiff_t>(read));
    }
    return messages;
}

void send_last(std::vector<MessageConnection> connections, const DetectorMessage& last) {
    using std::chrono::steady_clock;
    constexpr std::chrono::seconds kTimeout{1};
    for (MessageConnection& connection : connections)
        connection.send(last);
    std::vector<bool> sent_all(connections.size());
    const steady_clock::time_point latest = steady_clock::now() + kTimeout;
    while (steady_clock::now() < latest) {
        std::vector<pollfd> waiting;
        for (std::size_t i = 0; i < connections.size(); ++i) {
            connections[i].receive();
            connections[i].flush();
            if (!connections[i].is_open()) continue;
            if (!connections[i].has_unsent() && !sent_all[i]) connections[i].end_sending();
            sent_all[i] = !connections[i].has_unsent();
            const auto events = static_cast<short>(connections[i].has_unsent() ? POLLIN | POLLOUT : POLLIN);
            waiting.push_back({connections[i].descriptor(), events, 0});
        }
        if (waiting.empty()) return;
        wait_for_any(waiting, std::chrono::ceil<std::chrono::milliseconds>(latest - steady_clock::now()));
    }
}

}  // namespace vae_dist
