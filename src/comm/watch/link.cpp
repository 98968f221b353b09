#include "comm/watch/link.hpp"

#include <algorithm>
#include <array>
#include <chrono>

namespace vae_dist {

void Link::send(const WatchMessage& message) {
    flush();
    if (!is_open() || (has_unsent() && message.kind == WatchMessage::Kind::state)) return;
    const MessageBytes bytes = encode(message);
    unsent_.insert(unsent_.end(), bytes.begin(), bytes.end());
    flush();
}

// That the other side has ended is found by reading, after all that it sent.
void Link::flush() {
    if (!is_open() || unsent_.empty()) return;
    const Transfer sent = send_some(socket_, unsent_);
    if (sent.end == Transfer::End::unreachable) end_ = sent.end;
    unsent_.erase(unsent_.begin(), unsent_.begin() + static_cast<std::ptrdiff_t>(sent.bytes));
}

std::vector<WatchMessage> Link::receive() {
    std::vector<WatchMessage> messages;
    while (is_open()) {
        std::array<std::byte, 16 * kMessageBytes> bytes;
        const Transfer received = receive_some(socket_, bytes);
        end_ = received.end;
        if (received.bytes == 0) break;
        unread_.insert(unread_.end(), bytes.begin(),
                       bytes.begin() + static_cast<std::ptrdiff_t>(received.bytes));
        std::size_t read = 0;
        for (; unread_.size() - read >= kMessageBytes; read += kMessageBytes) {
            const auto message = decode(std::span(unread_).subspan(read).first<kMessageBytes>());
            if (!message) {
                end_ = Transfer::End::unreachable;
                return messages;
            }
            messages.push_back(*message);
        }
        unread_.erase(unread_.begin(), unread_.begin() + static_cast<std::ptrdiff_t>(read));
    }
    return messages;
}

void take_leave(std::vector<Link> links, const WatchMessage& last) {
    using std::chrono::steady_clock;
    constexpr std::chrono::seconds kPatience{1};
    for (Link& link : links)
        link.send(last);
    std::vector<bool> sent_all(links.size());
    const steady_clock::time_point latest = steady_clock::now() + kPatience;
    while (steady_clock::now() < latest) {
        std::vector<pollfd> waiting;
        for (std::size_t i = 0; i < links.size(); ++i) {
            links[i].receive();
            links[i].flush();
            if (!links[i].is_open()) continue;
            if (!links[i].has_unsent() && !sent_all[i]) links[i].end_sending();
            sent_all[i] = !links[i].has_unsent();
            const auto events = static_cast<short>(links[i].has_unsent() ? POLLIN | POLLOUT : POLLIN);
            waiting.push_back({links[i].descriptor(), events, 0});
        }
        if (waiting.empty()) return;
        wait_for_any(waiting, std::chrono::ceil<std::chrono::milliseconds>(latest - steady_clock::now()));
    }
}

}  // namespace vae_dist
