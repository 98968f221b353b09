// What the watch gets over its connections.

#include <algorithm>
#include <cstring>

#include "comm/watch/message.hpp"
#include "fuzz/fuzz.hpp"

namespace vae_dist::fuzz {

std::vector<Bytes> seeds() {
    std::vector<Bytes> seeds;
    for (const auto kind :
         {WatchMessage::Kind::state, WatchMessage::Kind::goodbye, WatchMessage::Kind::end}) {
        const WatchMessage message = {.kind = kind,
                                      .state = {.entered = 7, .left = 6, .phase = "step 12", .waits = 3},
                                      .exit_status = 1};
        seeds.push_back(bytes_of(std::span<const std::byte>(encode(message))));
    }
    seeds.push_back(bytes_of(std::span<const std::byte>(encode(Hello{.token = {}, .rank = 5}))));
    return seeds;
}

}  // namespace vae_dist::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace vae_dist;
    MessageBytes bytes{};
    std::memcpy(bytes.data(), data, std::min(size, bytes.size()));
    if (const auto message = decode(bytes)) {
        const auto again = decode(encode(*message));
        fuzz::expect(again.has_value(), "what was understood can be said");
        fuzz::expect(again->kind == message->kind && again->state == message->state &&
                         again->exit_status == message->exit_status,
                     "and means the same");
    }
    HelloBytes hello{};
    std::memcpy(hello.data(), data, std::min(size, hello.size()));
    fuzz::expect(encode(decode_hello(hello)) == hello, "a hello means all of its bytes");
    return 0;
}
