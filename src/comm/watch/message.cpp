#include "comm/watch/message.hpp"

#include <algorithm>

namespace vae_dist {

namespace {

constexpr std::size_t kEntered = 3;
constexpr std::size_t kLeft = kEntered + sizeof(std::uint64_t);
constexpr std::size_t kWaits = kLeft + sizeof(std::uint64_t);
constexpr std::size_t kPhase = kWaits + sizeof(std::uint64_t);

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

MessageBytes encode(const WatchMessage& message) {
    MessageBytes bytes{};
    const std::size_t length = std::min(message.state.phase.size(), kPhaseBytes);
    bytes[0] = static_cast<std::byte>(message.kind);
    bytes[1] = static_cast<std::byte>(message.exit_status);
    bytes[2] = static_cast<std::byte>(length);
    put(bytes.data() + kEntered, message.state.entered);
    put(bytes.data() + kLeft, message.state.left);
    put(bytes.data() + kWaits, message.state.waits);
    std::transform(message.state.phase.begin(),
                   message.state.phase.begin() + static_cast<std::ptrdiff_t>(length), bytes.begin() + kPhase,
                   [](char c) { return static_cast<std::byte>(c); });
    return bytes;
}

std::optional<WatchMessage> decode(std::span<const std::byte, kMessageBytes> bytes) {
    const auto kind = std::to_integer<std::uint8_t>(bytes[0]);
    const auto length = std::to_integer<std::size_t>(bytes[2]);
    if (kind < static_cast<std::uint8_t>(WatchMessage::Kind::state) ||
        kind > static_cast<std::uint8_t>(WatchMessage::Kind::end) || length > kPhaseBytes) {
        return std::nullopt;
    }
    WatchMessage message;
    message.kind = static_cast<WatchMessage::Kind>(kind);
    message.exit_status = std::to_integer<std::uint8_t>(bytes[1]);
    message.state.entered = number_at<std::uint64_t>(bytes.data() + kEntered);
    message.state.left = number_at<std::uint64_t>(bytes.data() + kLeft);
    message.state.waits = number_at<std::uint64_t>(bytes.data() + kWaits);
    message.state.phase.assign(reinterpret_cast<const char*>(bytes.data() + kPhase), length);
    return message;
}

HelloBytes encode(const Hello& hello) {
    HelloBytes bytes{};
    std::copy(hello.token.begin(), hello.token.end(), bytes.begin());
    put(bytes.data() + sizeof(Token), hello.rank);
    return bytes;
}

Hello decode_hello(std::span<const std::byte, std::tuple_size_v<HelloBytes>> bytes) {
    Hello hello;
    std::copy_n(bytes.begin(), hello.token.size(), hello.token.begin());
    hello.rank = number_at<std::uint32_t>(bytes.data() + sizeof(Token));
    return hello;
}

}  // namespace vae_dist
