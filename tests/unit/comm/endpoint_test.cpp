#include "comm/failure_detector/endpoint.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <thread>

namespace vae_dist {
namespace {

using namespace std::chrono_literals;

/// An acceptor at the loopback address of this host.
struct Server {
    Socket listener = listen_on_all_addresses();
    Endpoint endpoint = make_endpoint();
    ConnectionAcceptor acceptor;

    explicit Server(int size = 3) : acceptor(std::move(listener), endpoint, size) {}

    Endpoint make_endpoint() const {
        Endpoint made = endpoint_of(listener);
        made.addresses = {"127.0.0.1"};
        return made;
    }
};

void wait_until_writable(const Socket& socket) {
    std::vector<pollfd> waiting = {{socket.descriptor(), POLLOUT, 0}};
    wait_for_any(waiting, 10s);
}

TEST(Endpoint, IsTheSameAfterItsTravelAsText) {
    const Endpoint endpoint = endpoint_of(listen_on_all_addresses());
    const Endpoint back = endpoint_from(to_text(endpoint));
    EXPECT_NE(endpoint.port, 0);
    EXPECT_NE(endpoint.client_token, endpoint.server_token);
    EXPECT_EQ(back.port, endpoint.port);
    EXPECT_EQ(back.client_token, endpoint.client_token);
    EXPECT_EQ(back.server_token, endpoint.server_token);
    EXPECT_EQ(back.host, endpoint.host);
    EXPECT_EQ(back.addresses, endpoint.addresses);
}

TEST(Endpoint, NamesLoopbackAddressesFirst) {
    const std::vector<std::string> addresses = own_addresses();
    ASSERT_FALSE(addresses.empty());
    EXPECT_TRUE(std::is_partitioned(addresses.begin(), addresses.end(), is_loopback));
}

TEST(ConnectionAcceptor, AcceptsTheRanksThatConnect) {
    Server server;
    const Socket one = connect_to(server.endpoint, 1, 20s);
    const Socket two = connect_to(server.endpoint, 2, 20s);
    EXPECT_TRUE(one && two);
    const auto ranks = server.acceptor.finish();
    EXPECT_EQ(ranks.size(), 2U);
    EXPECT_TRUE(ranks.contains(1) && ranks.contains(2));
}

TEST(ConnectionAcceptor, IsNotDelayedByOtherPrograms) {
    Server server;
    const Socket sends_nothing = begin_to_connect("127.0.0.1", server.endpoint.port);
    const Socket sends_wrong_bytes = begin_to_connect("127.0.0.1", server.endpoint.port);
    wait_until_writable(sends_wrong_bytes);
    send_some(sends_wrong_bytes, std::vector<std::byte>(1000, std::byte{0xff}));
    Socket leaves = begin_to_connect("127.0.0.1", server.endpoint.port);
    leaves.close();
    EXPECT_TRUE(connect_to(server.endpoint, 1, 20s));
    EXPECT_EQ(server.acceptor.finish().size(), 1U);
}

TEST(ConnectionAcceptor, DropsNoneOfManyRanksThatConnectAtOnce) {
    constexpr int kSize = 600;
    constexpr std::size_t kFiles = 2 * kSize + 100;  // both ends are ours
    allow_open_files(kFiles);
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur < kFiles)
        GTEST_SKIP() << "needs " << kFiles << " open files; ulimit -n allows " << limit.rlim_cur;

    Server server(kSize);
    std::map<int, Socket> ranks;
    for (int rank = 1; rank < kSize - 1; ++rank)
        ranks[rank] = begin_to_connect("127.0.0.1", server.endpoint.port);
    for (const auto& [rank, socket] : ranks)
        wait_until_writable(socket);
    // The last connection is accepted last: all others, which have sent nothing yet, are then accepted.
    const Socket last = connect_to(server.endpoint, kSize - 1, 60s);
    ASSERT_TRUE(last);
    for (const auto& [rank, socket] : ranks)
        send_some(socket, encode(Handshake{server.endpoint.client_token, static_cast<std::uint32_t>(rank)}));
    for (const auto& [rank, socket] : ranks) {
        Token answer{};
        std::vector<pollfd> waiting = {{socket.descriptor(), POLLIN, 0}};
        wait_for_any(waiting, 10s);
        ASSERT_EQ(receive_some(socket, answer).bytes, answer.size()) << rank;
    }
    EXPECT_EQ(server.acceptor.finish().size(), static_cast<std::size_t>(kSize - 1));
}

TEST(ConnectionAcceptor, KeepsRoomForRanksAmongAnyNumberOfOtherPrograms) {
    Server server;
    std::vector<Socket> others;
    for (int i = 0; i < 400; ++i) {
        others.push_back(begin_to_connect("127.0.0.1", server.endpoint.port));
        wait_until_writable(others.back());
    }
    EXPECT_TRUE(connect_to(server.endpoint, 1, 20s));
    const auto dropped = std::count_if(others.begin(), others.end(), [](const Socket& other) {
        std::array<std::byte, 1> nothing{};
        return receive_some(other, nothing).state == ConnectionState::closed;
    });
    EXPECT_GT(dropped, 100);
}

TEST(ConnectionAcceptor, RefusesAnotherTokenAndANumberThatIsNoRank) {
    Server server;
    Endpoint forged = server.endpoint;
    forged.client_token = server.endpoint.server_token;
    EXPECT_FALSE(connect_to(forged, 1, 20s));
    for (const int rank : {-1, 0, 3})
        EXPECT_FALSE(connect_to(server.endpoint, rank, 20s)) << rank;
    EXPECT_TRUE(server.acceptor.finish().empty());
}

TEST(ConnectTo, RefusesAServerWithAWrongAnswer) {
    const Socket listener = listen_on_all_addresses();
    Endpoint endpoint = endpoint_of(listener);
    endpoint.addresses = {"127.0.0.1"};
    std::atomic<bool> over = false;
    std::jthread echo([&] {
        std::vector<Socket> clients;
        while (!over) {
            if (Socket client = accept_next(listener)) clients.push_back(std::move(client));
            for (const Socket& client : clients) {
                std::array<std::byte, 64> bytes;
                const Transfer received = receive_some(client, bytes);
                if (received.bytes > 0) send_some(client, std::span(bytes).first(received.bytes));
            }
            std::this_thread::sleep_for(1ms);
        }
    });
    EXPECT_FALSE(connect_to(endpoint, 1, 20s));
    over = true;
}

TEST(ConnectTo, EndsWhereAServerDoesNotAnswer) {
    const Socket listener = listen_on_all_addresses();
    Endpoint endpoint = endpoint_of(listener);
    endpoint.addresses = {"127.0.0.1"};
    EXPECT_FALSE(connect_to(endpoint, 1, 100ms));
}

TEST(ConnectTo, TriesTheNextAddressWhereOneLeadsNowhere) {
    Server server;
    server.endpoint.addresses = {"no address", "192.0.2.1", "127.0.0.1"};  // the second is for documentation
    EXPECT_TRUE(connect_to(server.endpoint, 1, 20s));
}

TEST(ConnectTo, GivesNoConnectionWhereNoServerListens) {
    Endpoint endpoint;
    {
        Socket listener = listen_on_all_addresses();
        endpoint = endpoint_of(listener);
    }
    EXPECT_FALSE(connect_to(endpoint, 1, 20s));
    endpoint.port = 0;
    EXPECT_FALSE(connect_to(endpoint, 1, 20s));
}

}  // namespace
}  // namespace vae_dist
