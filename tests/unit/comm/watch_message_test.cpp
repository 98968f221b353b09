#include <gtest/gtest.h>

#include "comm/watch/message.hpp"

namespace vae_dist {
namespace {

TEST(WatchMessage, ComesBackAsItWas) {
    const WatchMessage message = {
        WatchMessage::Kind::end, {0x1122334455667788, 3, "reading data", 0x99aa}, 75};
    const auto back = decode(encode(message));
    ASSERT_TRUE(back.has_value());
    EXPECT_EQ(back->kind, WatchMessage::Kind::end);
    EXPECT_EQ(back->exit_status, 75);
    EXPECT_EQ(back->state.entered, 0x1122334455667788U);
    EXPECT_EQ(back->state.left, 3U);
    EXPECT_EQ(back->state.phase, "reading data");
    EXPECT_EQ(back->state.waits, 0x99aaU);
}

TEST(WatchMessage, IsLittleEndian) {
    const MessageBytes bytes = encode(WatchMessage{WatchMessage::Kind::state, {0x0102, 0, ""}});
    EXPECT_EQ(bytes[3], std::byte{2});
    EXPECT_EQ(bytes[4], std::byte{1});
}

TEST(WatchMessage, CutsALongPhase) {
    const auto back = decode(encode(WatchMessage{WatchMessage::Kind::state, {0, 0, std::string(200, 'x')}}));
    ASSERT_TRUE(back.has_value());
    EXPECT_EQ(back->state.phase, std::string(kPhaseBytes, 'x'));
}

TEST(WatchMessage, OfAnUnknownKindOrAnImpossibleLengthIsNone) {
    const MessageBytes good = encode(WatchMessage{});
    for (const auto& [place, value] :
         {std::pair{0, 0}, std::pair{0, 4}, std::pair{0, 255}, std::pair{2, 64}, std::pair{2, 255}}) {
        MessageBytes bad = good;
        bad[static_cast<std::size_t>(place)] = static_cast<std::byte>(value);
        EXPECT_FALSE(decode(bad).has_value()) << "byte " << place << ": " << value;
    }
}

TEST(WatchHello, ComesBackAsItWas) {
    Hello hello;
    hello.token[15] = std::byte{7};
    hello.rank = 0x01020304;
    const Hello back = decode_hello(encode(hello));
    EXPECT_EQ(back.token, hello.token);
    EXPECT_EQ(back.rank, hello.rank);
}

}  // namespace
}  // namespace vae_dist
