#include <gtest/gtest.h>

#include "comm/failure_detector/message.hpp"

namespace vae_dist {
namespace {

TEST(DetectorMessage, ComesBackAsItWas) {
    const DetectorMessage message = {
        DetectorMessage::Kind::abort, {0x1122334455667788, 3, "reading data", 0x99aa}, 75};
    const auto back = decode(encode(message));
    ASSERT_TRUE(back.has_value());
    EXPECT_EQ(back->kind, DetectorMessage::Kind::abort);
    EXPECT_EQ(back->exit_status, 75);
    EXPECT_EQ(back->state.calls_begun, 0x1122334455667788U);
    EXPECT_EQ(back->state.calls_ended, 3U);
    EXPECT_EQ(back->state.activity, "reading data");
    EXPECT_EQ(back->state.wait_changes, 0x99aaU);
}

TEST(DetectorMessage, IsLittleEndian) {
    const MessageBytes bytes = encode(DetectorMessage{DetectorMessage::Kind::heartbeat, {0x0102, 0, ""}});
    EXPECT_EQ(bytes[3], std::byte{2});
    EXPECT_EQ(bytes[4], std::byte{1});
}

TEST(DetectorMessage, CutsALongActivity) {
    const auto back =
        decode(encode(DetectorMessage{DetectorMessage::Kind::heartbeat, {0, 0, std::string(200, 'x')}}));
    ASSERT_TRUE(back.has_value());
    EXPECT_EQ(back->state.activity, std::string(kActivityBytes, 'x'));
}

TEST(DetectorMessage, OfAnUnknownKindOrAnImpossibleLengthIsNone) {
    const MessageBytes good = encode(DetectorMessage{});
    for (const auto& [place, value] :
         {std::pair{0, 0}, std::pair{0, 4}, std::pair{0, 255}, std::pair{2, 64}, std::pair{2, 255}}) {
        MessageBytes bad = good;
        bad[static_cast<std::size_t>(place)] = static_cast<std::byte>(value);
        EXPECT_FALSE(decode(bad).has_value()) << "byte " << place << ": " << value;
    }
}

TEST(DetectorHandshake, ComesBackAsItWas) {
    Handshake handshake;
    handshake.token[15] = std::byte{7};
    handshake.rank = 0x01020304;
    const Handshake back = decode_handshake(encode(handshake));
    EXPECT_EQ(back.token, handshake.token);
    EXPECT_EQ(back.rank, handshake.rank);
}

}  // namespace
}  // namespace vae_dist
