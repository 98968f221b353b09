// What the failure detector receives over its connections.

#include <algorithm>
#include <cstring>

#include "comm/failure_detector/message.hpp"
#include "fuzz/fuzz.hpp"

namespace vae_dist::fuzz {

std::vector<Bytes> seeds() {
    std::vector<Bytes> seeds;
    for (const auto kind :
         {DetectorMessage::Kind::heartbeat, DetectorMessage::Kind::leave, DetectorMessage::Kind::abort}) {
        const DetectorMessage message = {
            .kind = kind,
            .state = {.calls_begun = 7, .calls_ended = 6, .activity = "step 12", .wait_changes = 3},
            .exit_status = 1};
        seeds.push_back(bytes_of(std::span<const std::byte>(encode(message))));
    }
    seeds.push_back(bytes_of(std::span<const std::byte>(encode(Handshake{.token = {}, .rank = 5}))));
    return seeds;
}

}  // namespace vae_dist::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace vae_dist;
    MessageBytes bytes{};
    std::memcpy(bytes.data(), data, std::min(size, bytes.size()));
    if (const auto message = decode(bytes)) {
        const auto again = decode(encode(*message));
        fuzz::expect(again.has_value(), "a decoded message can be encoded");
        fuzz::expect(again->kind == message->kind && again->state == message->state &&
                         again->exit_status == message->exit_status,
                     "and is then the same");
    }
    HandshakeBytes handshake{};
    std::memcpy(handshake.data(), data, std::min(size, handshake.size()));
    fuzz::expect(encode(decode_handshake(handshake)) == handshake, "a handshake uses all of its bytes");
    return 0;
}
