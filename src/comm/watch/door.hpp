#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "comm/watch/message.hpp"
#include "comm/watch/socket.hpp"

namespace vae_dist {

/// What rank 0 tells the others of where they find it.
struct Invitation {
    std::uint16_t port = 0;  ///< 0: nobody listens
    /// By which each side knows the other: another program may have the port at one of the addresses, and
    /// anybody may connect to ours.
    Token guest{};
    Token host{};
    std::string machine;
    std::vector<std::string> addresses;
};

/// With tokens of random bits. Throws ErrorKind::failure.
Invitation invite_to(const Socket& listener);

std::string to_text(const Invitation& invitation);
/// From what `to_text` made.
Invitation invitation_from(const std::string& text);

/// Takes in the ranks that come, on a thread of its own; who shows no token, or none yet, keeps nobody
/// waiting.
class Reception {
 public:
    Reception(Socket listener, const Invitation& invitation, int size);
    ~Reception() { closing_.set_off(); }
    Reception(const Reception&) = delete;
    Reception& operator=(const Reception&) = delete;
    /// Closes the door. The connections, by rank; of a rank that came twice the later one.
    std::map<int, Socket> close();

 private:
    struct Visitor {
        Socket socket;
        std::vector<std::byte> said;
    };

    void receive_all();
    /// Sees the oldest visitor off where they are too many.
    void make_room();
    /// Whether he still has to say something.
    bool attend(Visitor& visitor);

    Socket listener_;
    Invitation invitation_;
    int size_;
    std::vector<Visitor> visitors_;
    std::map<int, Socket> ranks_;
    Alarm closing_;
    std::jthread thread_;
};

/// The connection to rank 0; none where no address leads there within `patience`. Every address has a moment
/// before the next is tried beside it, as in RFC 8305.
Socket join(const Invitation& invitation, int rank, std::chrono::milliseconds patience);

}  // namespace vae_dist
