#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

#include "comm/watch/socket.hpp"
#include "file_limit.hpp"

namespace vae_dist {
namespace {

using End = Transfer::End;

TEST(WatchSocket, TakesOnlyWhatTheOtherSystemSaysForTheEndOfAProcess) {
    for (const int error : {ECONNRESET, EPIPE})
        EXPECT_EQ(what_became(error), End::ended) << error;
    for (const int error : {EAGAIN, EINTR, ENOBUFS, ENOMEM})
        EXPECT_EQ(what_became(error), End::open) << error;
    for (const int error : {ETIMEDOUT, EHOSTUNREACH, EHOSTDOWN, ENETUNREACH, ENETDOWN, ECONNABORTED, EIO})
        EXPECT_EQ(what_became(error), End::unreachable) << error;
}

TEST(WatchSocket, TellsAResetFromAConnectionThatThereIsNot) {
    std::array<int, 2> ends{};
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()), 0);
    const Socket ours(ends[0]);
    Socket theirs(ends[1]);
    std::array<std::byte, 8> bytes{};
    ASSERT_EQ(send_some(ours, bytes).bytes, bytes.size());
    theirs.close();  // with bytes unread
    EXPECT_EQ(receive_some(ours, bytes).end, End::ended);
    EXPECT_EQ(send_some(ours, bytes).end, End::ended);
    EXPECT_EQ(receive_some(listen_anywhere(), bytes).end, End::unreachable);
}

TEST(Alarm, IsFoundOffThoughTheSystemHadNoEventToGive) {
    FileLimit none(0);
    Alarm alarm;
    none.lift();
    EXPECT_EQ(alarm.descriptor(), -1);
    EXPECT_FALSE(alarm.is_off());
    alarm.set_off();
    EXPECT_TRUE(alarm.is_off());
}

}  // namespace
}  // namespace vae_dist
