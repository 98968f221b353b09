#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "comm/failure_detector/activity.hpp"
#include "comm/token.hpp"

namespace vae_dist {

/// A message over a connection of the failure detector.
struct DetectorMessage {
    enum class Kind : std::uint8_t {
        heartbeat = 1,  ///< the sender's state
        leave = 2,      ///< the sender's last state: its detector ends
        abort = 3,      ///< from rank 0: end the process, with `exit_status`
    };
    Kind kind = Kind::heartbeat;
    RankState state;
    std::uint8_t exit_status = 0;
};

/// The length of every message, so that no message has to name its length: kind, exit status, length of the
/// activity, calls begun, calls ended, wait changes (64 bits each, little-endian), activity (63 bytes).
inline constexpr std::size_t kActivityBytes = 63;
inline constexpr std::size_t kMessageBytes = 3 + 3 * sizeof(std::uint64_t) + kActivityBytes;
using MessageBytes = std::array<std::byte, kMessageBytes>;

/// The bytes of a message; a longer activity is cut.
MessageBytes encode(const DetectorMessage& message);
/// The message in these bytes; nullopt for bytes that no `encode` makes.
std::optional<DetectorMessage> decode(std::span<const std::byte, kMessageBytes> bytes);

/// The first message of a rank on its connection.
struct Handshake {
    Token token{};
    std::uint32_t rank = 0;
};
using HandshakeBytes = std::array<std::byte, sizeof(Token) + sizeof(std::uint32_t)>;

HandshakeBytes encode(const Handshake& handshake);
Handshake decode_handshake(std::span<const std::byte, std::tuple_size_v<HandshakeBytes>> bytes);

}  // namespace vae_dist
