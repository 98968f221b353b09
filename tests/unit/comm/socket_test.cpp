#include "comm/failure_detector/socket.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

#include "file_limit.hpp"

namespace vae_dist {
namespace {

TEST(DetectorSocket, TakesOnlyErrorsFromThePeersSystemForTheEndOfItsProcess) {
    for (const int error : {ECONNRESET, EPIPE})
        EXPECT_EQ(state_after(error), ConnectionState::closed) << error;
    for (const int error : {EAGAIN, EINTR, ENOBUFS, ENOMEM})
        EXPECT_EQ(state_after(error), ConnectionState::open) << error;
    for (const int error : {ETIMEDOUT, EHOSTUNREACH, EHOSTDOWN, ENETUNREACH, ENETDOWN, ECONNABORTED, EIO})
        EXPECT_EQ(state_after(error), ConnectionState::unreachable) << error;
}

TEST(DetectorSocket, TellsAResetFromASocketWithoutAConnection) {
    std::array<int, 2> ends{};
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()), 0);
    const Socket ours(ends[0]);
    Socket theirs(ends[1]);
    std::array<std::byte, 8> bytes{};
    ASSERT_EQ(send_some(ours, bytes).bytes, bytes.size());
    theirs.close();  // with bytes unread
    EXPECT_EQ(receive_some(ours, bytes).state, ConnectionState::closed);
    EXPECT_EQ(send_some(ours, bytes).state, ConnectionState::closed);
    EXPECT_EQ(receive_some(listen_on_all_addresses(), bytes).state, ConnectionState::unreachable);
}

TEST(StopEvent, IsFoundSetThoughTheSystemHadNoEventDescriptor) {
    FileLimit none(0);
    StopEvent event;
    none.lift();
    EXPECT_EQ(event.descriptor(), -1);
    EXPECT_FALSE(event.is_set());
    event.set();
    EXPECT_TRUE(event.is_set());
}

}  // namespace
}  // namespace vae_dist
