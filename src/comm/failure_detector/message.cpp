#include "comm/failure_detector/message.hpp"

#include <algorithm>

namespace vae_dist {

namespace {

constexpr std::size_t kCallsBegun = 3;
constexpr std::size_t kCallsEnded = kCallsBegun + sizeof(std::uint64_t);
constexpr std::size_t kWaitChanges = kCallsEnded + sizeof(std::uint64_t);
constexpr std::size_t kActivity = kWaitChanges + sizeof(std::uint64_t);

template <class T>
void put(std::byte* to, T number) {
    for (std::size_t i = 0; i < sizeof(T); ++i)
        to[i] = static_cast<std::byte>(number >> (8 * i) & 0xff);
}

template <class T>
T number_at(const std::byte* from) {
    T number = 0;
    for (std::size_t i = 0; i < sizeof(T); ++i)
        number |= static_cast<T>(static_cast<T>(from[i]) << (8 * i));
    return number;
}

}  // namespace

MessageBytes encode(const DetectorMessage& message) {
    MessageBytes bytes{};
    const std::size_t length = std::min(message.state.activity.size(), kActivityBytes);
    bytes[0] = static_cast<std::byte>(message.kind);
    bytes[1] = static_cast<std::byte>(message.exit_status);
    bytes[2] = static_cast<std::byte>(length);
    put(bytes.data() + kCallsBegun, message.state.calls_begun);
    put(bytes.data() + kCallsEnded, message.state.calls_ended);
    put(bytes.data() + kWaitChanges, message.state.wait_changes);
    std::transform(message.state.activity.begin(),
                   message.state.activity.begin() + static_cast<std::ptrdiff_t>(length),
                   bytes.begin() + kActivity, [](char c) { return static_cast<std::byte>(c); });
    return bytes;
}

std::optional<DetectorMessage> decode(std::span<const std::byte, kMessageBytes> bytes) {
    const auto kind = std::to_integer<std::uint8_t>(bytes[0]);
    const auto length = std::to_integer<std::size_t>(bytes[2]);
    if (kind < static_cast<std::uint8_t>(DetectorMessage::Kind::heartbeat) ||
        kind > static_cast<std::uint8_t>(DetectorMessage::Kind::abort) || length > kActivityBytes) {
        return std::nullopt;
    }
    DetectorMessage message;
    message.kind = static_cast<DetectorMessage::Kind>(kind);
    message.exit_status = std::to_integer<std::uint8_t>(bytes[1]);
    message.state.calls_begun = number_at<std::uint64_t>(bytes.data() + kCallsBegun);
    message.state.calls_ended = number_at<std::uint64_t>(bytes.data() + kCallsEnded);
    message.state.wait_changes = number_at<std::uint64_t>(bytes.data() + kWaitChanges);
    message.state.activity.assign(reinterpret_cast<const char*>(bytes.data() + kActivity), length);
    return message;
}

HandshakeBytes encode(const Handshake& handshake) {
    HandshakeBytes bytes{};
    std::copy(handshake.token.begin(), handshake.token.end(), bytes.begin());
    put(bytes.data() + sizeof(Token), handshake.rank);
    return bytes;
}

Handshake decode_handshake(std::span<const std::byte, std::tuple_size_v<HandshakeBytes>> bytes) {
    Handshake handshake;
    std::copy_n(bytes.begin(), handshake.token.size(), handshake.token.begin());
    handshake.rank = number_at<std::uint32_t>(bytes.data() + sizeof(Token));
    return handshake;
}

}  // namespace vae_dist
