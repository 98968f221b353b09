#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "comm/failure_detector/message.hpp"
#include "comm/failure_detector/socket.hpp"

namespace vae_dist {

/// Where rank 0 accepts connections, as the other ranks need it.
struct Endpoint {
    std::uint16_t port = 0;  ///< 0: rank 0 accepts none
    /// Each side sends its token and checks the token of the other: another program may have the port at one
    /// of the addresses, and any program may connect to rank 0.
    Token client_token{};
    Token server_token{};
    std::string host;  ///< of rank 0
    std::vector<std::string> addresses;
};

/// The endpoint of a listening socket, with random tokens. Throws ErrorKind::failure.
Endpoint endpoint_of(const Socket& listener);

std::string to_text(const Endpoint& endpoint);
/// The endpoint that `to_text` wrote.
Endpoint endpoint_from(const std::string& text);

/// Accepts the connections of the ranks, on a thread of its own. A client that sends no token, or not yet,
/// does not delay the others.
class ConnectionAcceptor {
 public:
    ConnectionAcceptor(Socket listener, Endpoint endpoint, int size);
    ~ConnectionAcceptor() { stop_.set(); }
    ConnectionAcceptor(const ConnectionAcceptor&) = delete;
    ConnectionAcceptor& operator=(const ConnectionAcceptor&) = delete;
    /// Ends the thread and gives the connections, by rank; of a rank that connected twice the later one.
    std::map<int, Socket> finish();

 private:
    /// A connection whose handshake is not complete.
    struct Client {
        Socket socket;
        std::vector<std::byte> received;
    };

    void accept_all();
    /// Closes the connection of the oldest client where there are too many.
    void make_room();
    /// Continues a client's handshake; false where it is over, with or without success.
    bool continue_handshake(Client& client);

    Socket listener_;
    Endpoint endpoint_;
    int size_;
    std::vector<Client> clients_;
    std::map<int, Socket> ranks_;
    StopEvent stop_;
    std::jthread thread_;
};

/// The connection of `rank` to rank 0; none where no address leads there within `timeout`. Addresses are
/// tried one beside the other, each a moment after the one before, as in RFC 8305.
Socket connect_to(const Endpoint& endpoint, int rank, std::chrono::milliseconds timeout);

}  // namespace vae_dist
