#include "comm/watch/door.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace vae_dist {
namespace {

using namespace std::chrono_literals;

/// A reception at this machine's loopback address.
struct House {
    Socket listener = listen_anywhere();
    Invitation invitation = invite();
    Reception reception{std::move(listener), invitation, 3};

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
