#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <thread>

#include "comm/watch/door.hpp"

namespace vae_dist {
namespace {

using namespace std::chrono_literals;

/// A reception at this machine's loopback address.
struct House {
    Socket listener = listen_anywhere();
    Invitation invitation = invite();
    Reception reception;

    explicit House(int size = 3) : reception(std::move(listener), invitation, size) {}

    Invitation invite() const {
        Invitation made = invite_to(listener);
        made.addresses = {"127.0.0.1"};
        return made;
    }
};

void wait_until_writable(const Socket& socket) {
    std::vector<pollfd> waiting = {{socket.descriptor(), POLLOUT, 0}};
    wait_for_any(waiting, 10s);
}

TEST(Invitation, SurvivesItsTravelAsText) {
    const Invitation invitation = invite_to(listen_anywhere());
    const Invitation back = invitation_from(to_text(invitation));
    EXPECT_NE(invitation.port, 0);
    EXPECT_NE(invitation.guest, invitation.host);
    EXPECT_EQ(back.port, invitation.port);
    EXPECT_EQ(back.guest, invitation.guest);
    EXPECT_EQ(back.host, invitation.host);
    EXPECT_EQ(back.machine, invitation.machine);
    EXPECT_EQ(back.addresses, invitation.addresses);
}

TEST(Invitation, NamesLoopbackAddressesFirst) {
    const std::vector<std::string> addresses = own_addresses();
    ASSERT_FALSE(addresses.empty());
    EXPECT_TRUE(std::is_partitioned(addresses.begin(), addresses.end(), is_loopback));
}

TEST(Reception, TakesInTheRanksThatCome) {
    House house;
    const Socket one = join(house.invitation, 1, 20s);
    const Socket two = join(house.invitation, 2, 20s);
    EXPECT_TRUE(one && two);
    const auto ranks = house.reception.close();
    EXPECT_EQ(ranks.size(), 2U);
    EXPECT_TRUE(ranks.contains(1) && ranks.contains(2));
}

TEST(Reception, IsNotKeptBusyByStrangers) {
    House house;
    const Socket says_nothing = begin_to_connect("127.0.0.1", house.invitation.port);
    const Socket says_nonsense = begin_to_connect("127.0.0.1", house.invitation.port);
    wait_until_writable(says_nonsense);
    send_some(says_nonsense, std::vector<std::byte>(1000, std::byte{0xff}));
    Socket leaves = begin_to_connect("127.0.0.1", house.invitation.port);
    leaves.close();
    EXPECT_TRUE(join(house.invitation, 1, 20s));
    EXPECT_EQ(house.reception.close().size(), 1U);
}

TEST(Reception, SendsNoneOfManyRanksAwayThatComeAtOnce) {
    constexpr int kSize = 600;
    constexpr std::size_t kFiles = 2 * kSize + 100;  // both ends are ours
    allow_open_files(kFiles);
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur < kFiles)
        GTEST_SKIP() << "needs " << kFiles << " open files; ulimit -n allows " << limit.rlim_cur;

    House house(kSize);
    std::map<int, Socket> ranks;
    for (int rank = 1; rank < kSize - 1; ++rank)
        ranks[rank] = begin_to_connect("127.0.0.1", house.invitation.port);
    for (const auto& [rank, socket] : ranks)
        wait_until_writable(socket);
    // Who comes last is let in last, and then all others are in that have not yet said a word.
    const Socket last = join(house.invitation, kSize - 1, 60s);
    ASSERT_TRUE(last);
    for (const auto& [rank, socket] : ranks)
        send_some(socket, encode(Hello{house.invitation.guest, static_cast<std::uint32_t>(rank)}));
    for (const auto& [rank, socket] : ranks) {
        Token answer{};
        std::vector<pollfd> waiting = {{socket.descriptor(), POLLIN, 0}};
        wait_for_any(waiting, 10s);
        ASSERT_EQ(receive_some(socket, answer).bytes, answer.size()) << rank;
    }
    EXPECT_EQ(house.reception.close().size(), static_cast<std::size_t>(kSize - 1));
}

TEST(Reception, LeavesRoomForRanksAmongAnyNumberOfStrangers) {
    House house;
    std::vector<Socket> strangers;
    for (int i = 0; i < 400; ++i) {
        strangers.push_back(begin_to_connect("127.0.0.1", house.invitation.port));
        wait_until_writable(strangers.back());
    }
    EXPECT_TRUE(join(house.invitation, 1, 20s));
    const auto sent_away = std::count_if(strangers.begin(), strangers.end(), [](const Socket& stranger) {
        std::array<std::byte, 1> nothing{};
        return receive_some(stranger, nothing).end == Transfer::End::ended;
    });
    EXPECT_GT(sent_away, 100);
}

TEST(Reception, TurnsAwayWhoHasAnotherTokenOrNoSuchRank) {
    House house;
    Invitation forged = house.invitation;
    forged.guest = house.invitation.host;
    EXPECT_FALSE(join(forged, 1, 20s));
    for (const int rank : {-1, 0, 3})
        EXPECT_FALSE(join(house.invitation, rank, 20s)) << rank;
    EXPECT_TRUE(house.reception.close().empty());
}

TEST(Join, KnowsAStrangerByHisAnswer) {
    const Socket listener = listen_anywhere();
    Invitation invitation = invite_to(listener);
    invitation.addresses = {"127.0.0.1"};
    std::atomic<bool> over = false;
    std::jthread echo([&] {
        std::vector<Socket> guests;
        while (!over) {
            if (Socket guest = accept_next(listener)) guests.push_back(std::move(guest));
            for (const Socket& guest : guests) {
                std::array<std::byte, 64> bytes;
                const Transfer heard = receive_some(guest, bytes);
                if (heard.bytes > 0) send_some(guest, std::span(bytes).first(heard.bytes));
            }
            std::this_thread::sleep_for(1ms);
        }
    });
    EXPECT_FALSE(join(invitation, 1, 20s));
    over = true;
}

TEST(Join, GivesUpOnAStrangerThatSaysNothing) {
    const Socket listener = listen_anywhere();
    Invitation invitation = invite_to(listener);
    invitation.addresses = {"127.0.0.1"};
    EXPECT_FALSE(join(invitation, 1, 100ms));
}

TEST(Join, TriesTheNextAddressWhereOneLeadsNowhere) {
    House house;
    house.invitation.addresses = {"no address", "192.0.2.1", "127.0.0.1"};  // the second is for documentation
    EXPECT_TRUE(join(house.invitation, 1, 20s));
}

TEST(Join, FindsNobodyWhereNobodyListens) {
    Invitation invitation;
    {
        Socket listener = listen_anywhere();
        invitation = invite_to(listener);
    }
    EXPECT_FALSE(join(invitation, 1, 20s));
    invitation.port = 0;
    EXPECT_FALSE(join(invitation, 1, 20s));
}

}  // namespace
}  // namespace vae_dist
