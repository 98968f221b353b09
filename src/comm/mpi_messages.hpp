#pragma once

#include <mpi.h>

#include <exception>
#include <vector>

#include "vae_dist/comm/messages.hpp"

namespace vae_dist {

/// Messages by MPI_Isend and MPI_Irecv over a communicator of their own. Between calls of this object they
/// advance as far as the MPI library advances them in its other calls.
class MpiMessages final : public Messages {
 public:
    /// Collective over `ranks`, which it duplicates.
    explicit MpiMessages(MPI_Comm ranks);
    /// Frees neither requests nor communicator where a request cannot be cancelled: they are left to MPI.
    ~MpiMessages() override;
    MpiMessages(const MpiMessages&) = delete;
    MpiMessages& operator=(const MpiMessages&) = delete;

    void send(std::span<const std::byte> bytes, int to) override;
    std::size_t receive(std::span<std::byte> into, int from) override;
    void progress() override;
    bool has_received(std::size_t n) override;
    std::size_t received(std::size_t n) const override;
    void wait_for(std::size_t n) override;
    void wait_all() override;

 private:
    static constexpr std::size_t kSend = static_cast<std::size_t>(-1);
    static constexpr std::size_t kUnderWay = static_cast<std::size_t>(-1);

    struct Receive {
        int from;
        std::size_t place;   ///< bytes that `into` has room for
        std::size_t length;  ///< of the message; kUnderWay before it has arrived
    };

    void check(int code, const char* call) const;
    void expect_other(int rank) const;
    /// Records that the request at `index` is complete; throws if it ended with an error.
    void complete(std::size_t index, const MPI_Status& status, int error);
    /// Cancels receives, and waits a moment for the rest; true if nothing is under way then.
    bool cancel_all() noexcept;

    MPI_Comm communicator_ = MPI_COMM_NULL;
    int rank_ = 0;
    int size_ = 1;
    int exceptions_ = std::uncaught_exceptions();
    std::size_t under_way_ = 0;            ///< requests that are not complete
    std::vector<MPI_Request> requests_;    ///< (R) in the order of their begin; null once complete
    std::vector<std::size_t> receive_of_;  ///< (R) number of the receive; kSend
    std::vector<std::size_t> request_of_;  ///< (receives) index into requests_
    std::vector<Receive> receives_;        ///< (receives)
    std::vector<int> indices_;             ///< (R) of those that MPI_Testsome found complete
    std::vector<MPI_Status> statuses_;     ///< (R)
};

}  // namespace vae_dist
