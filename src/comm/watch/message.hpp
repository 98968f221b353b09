#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "comm/token.hpp"
#include "comm/watch/state.hpp"

namespace vae_dist {

/// What goes over the watch's connections.
struct WatchMessage {
    enum class Kind : std::uint8_t {
        state = 1,    ///< how the sender is doing
        goodbye = 2,  ///< the same, for the last time: it leaves the watch
        end = 3,      ///< from rank 0: end the process, with `exit_status`
    };
    Kind kind = Kind::state;
    RankState state;
    std::uint8_t exit_status = 0;
};

/// All messages are of one length, so that no length has to be believed: kind, exit status, length of the
/// phase, numbers of calls entered and left and of waits (64 bits, little-endian), phase (63 bytes).
inline constexpr std::size_t kPhaseBytes = 63;
inline constexpr std::size_t kMessageBytes = 3 + 3 * sizeof(std::uint64_t) + kPhaseBytes;
using MessageBytes = std::array<std::byte, kMessageBytes>;

/// A longer phase is cut.
MessageBytes encode(const WatchMessage& message);
/// Nullopt for what no `encode` makes.
std::optional<WatchMessage> decode(std::span<const std::byte, kMessageBytes> bytes);

/// The first that a rank says on its connection.
struct Hello {
    Token token{};
    std::uint32_t rank = 0;
};
using HelloBytes = std::array<std::byte, sizeof(Token) + sizeof(std::uint32_t)>;

HelloBytes encode(const Hello& hello);
Hello decode_hello(std::span<const std::byte, std::tuple_size_v<HelloBytes>> bytes);

}  // namespace vae_dist
