#include "vae_dist/comm/mpi_communicator.hpp"

#include <mpi.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <memory>
#include <thread>

#include "comm/mpi_check.hpp"
#include "comm/mpi_messages.hpp"
#include "vae_dist/comm/backoff.hpp"
#include "vae_dist/core/error.hpp"

namespace vae_dist {

namespace {

class MpiCommunicator final : public Communicator {
 public:
    explicit MpiCommunicator(std::int64_t longest_call) : longest_call_(longest_call) {
        require(longest_call >= 1 && longest_call <= std::numeric_limits<int>::max(),
                "a call's length is positive and fits MPI's int");
        check(MPI_Comm_dup(MPI_COMM_WORLD, &communicator_), "MPI_Comm_dup");
        check(MPI_Comm_set_errhandler(communicator_, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
        check(MPI_Comm_rank(communicator_, &rank_), "MPI_Comm_rank");
        check(MPI_Comm_size(communicator_, &size_), "MPI_Comm_size");
    }

    // MPI may still write to the value of an unfinished reduction, and a communicator in use cannot be freed.
    ~MpiCommunicator() override {
        if (unfinished_) {
            static_cast<void>(unfinished_.release());
            return;
        }
        int finalized = 0;
        MPI_Finalized(&finalized);
        if (finalized == 0) MPI_Comm_free(&communicator_);
    }

    MpiCommunicator(const MpiCommunicator&) = delete;
    MpiCommunicator& operator=(const MpiCommunicator&) = delete;

    int rank() const override { return rank_; }
    int size() const override { return size_; }
    std::string name() const override { return "mpi"; }

    // Sums of unsigned numbers, whose overflow is defined; in two's complement the signed sum has the same
    // bits.
    void all_reduce_sum(std::span<std::int64_t> values) override {
        all_reduce(values, MPI_UINT64_T, MPI_SUM);
    }

    // The same bits on every rank: "MPI requires that all processes from the same group participating in
    // these operations receive identical results" (MPI 3.1, section 5.9.6).
    void all_reduce_sum(std::span<float> values) override { all_reduce(values, MPI_FLOAT, MPI_SUM); }

    void all_reduce_max(std::span<std::int64_t> values) override { all_reduce(values, MPI_INT64_T, MPI_MAX); }
    void all_reduce_max(std::span<double> values) override { all_reduce(values, MPI_DOUBLE, MPI_MAX); }

    std::optional<std::int64_t> all_reduce_max_within(std::int64_t value,
                                                      std::chrono::milliseconds timeout) override {
        require(!unfinished_, "a communicator is only aborted after a timeout");
        unfinished_ = std::make_unique<std::int64_t>(value);
        MPI_Request request = MPI_REQUEST_NULL;
        check(
            MPI_Iallreduce(MPI_IN_PLACE, unfinished_.get(), 1, MPI_INT64_T, MPI_MAX, communicator_, &request),
            "MPI_Iallreduce");
        if (!done_within(request, timeout)) return std::nullopt;
        const std::int64_t maximum = *unfinished_;
        unfinished_.reset();
        return maximum;
    }

    void broadcast(std::span<std::byte> bytes, int root) override {
        in_pieces(bytes, [&](std::byte* piece, int count) {
            check(MPI_Bcast(piece, count, MPI_BYTE, root, communicator_), "MPI_Bcast");
        });
    }

    std::vector<std::vector<std::byte>> gather(std::span<const std::byte> bytes, int root) override {
        const std::uint64_t length = bytes.size();
        std::vector<std::uint64_t> lengths(rank_ == root ? static_cast<std::size_t>(size_) : 0);
        check(MPI_Gather(&length, 1, MPI_UINT64_T, lengths.data(), 1, MPI_UINT64_T, root, communicator_),
              "MPI_Gather");
        if (rank_ != root) {
            send(bytes, root);
            return {};
        }
        std::vector<std::vector<std::byte>> gathered;
        for (int from = 0; from < size_; ++from) {
            gathered.push_back(from == root ? std::vector(bytes.begin(), bytes.end())
                                            : receive(lengths[static_cast<std::size_t>(from)], from));
        }
        return gathered;
    }

    void barrier() override { check(MPI_Barrier(communicator_), "MPI_Barrier"); }

    // A rank that waits for shared memory still advances its messages.
    void wait_until(const std::function<bool()>& is_so) override {
        for (Backoff backoff; !is_so(); backoff.pause()) {
            if (backoff.is_yielding()) give_progress();
        }
    }

    std::unique_ptr<Messages> make_messages() override {
        return std::make_unique<MpiMessages>(communicator_);
    }

    void abort(int exit_status) noexcept override { MPI_Abort(communicator_, exit_status); }

 private:
    static constexpr int kGatherTag = 1;

    // At first without pauses, which would make a short wait longer. In a long wait the core is left to the
    // ranks that are still at work.
    bool done_within(MPI_Request& request, std::chrono::milliseconds timeout) const {
        using Clock = std::chrono::steady_clock;
        constexpr std::chrono::milliseconds kPause{1};
        const auto start = Clock::now();
        for (;;) {
            int done = 0;
            check(MPI_Test(&request, &done, MPI_STATUS_IGNORE), "MPI_Test");
            if (done != 0) return true;
            // In whole milliseconds: a comparison with milliseconds::max() does not overflow.
            const auto waited = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start);
            if (waited >= timeout) return false;
            if (waited >= kPause) std::this_thread::sleep_for(kPause);
        }
    }

    void give_progress() const {
        int waiting = 0;
        check(MPI_Iprobe(MPI_ANY_SOURCE, kGatherTag, communicator_, &waiting, MPI_STATUS_IGNORE),
              "MPI_Iprobe");
    }

    template <class T>
    void all_reduce(std::span<T> values, MPI_Datatype type, MPI_Op operation) {
        in_pieces(values, [&](T* piece, int count) {
            check(MPI_Allreduce(MPI_IN_PLACE, piece, count, type, operation, communicator_), "MPI_Allreduce");
        });
    }

    // Point to point, as the displacements of MPI_Gatherv are of type int.
    void send(std::span<const std::byte> bytes, int to) const {
        in_pieces(bytes, [&](const std::byte* piece, int count) {
            check(MPI_Send(piece, count, MPI_BYTE, to, kGatherTag, communicator_), "MPI_Send");
        });
    }

    std::vector<std::byte> receive(std::uint64_t length, int from) const {
        std::vector<std::byte> bytes(length);
        in_pieces(std::span(bytes), [&](std::byte* piece, int count) {
            check(MPI_Recv(piece, count, MPI_BYTE, from, kGatherTag, communicator_, MPI_STATUS_IGNORE),
                  "MPI_Recv");
        });
        return bytes;
    }

    template <class T, class Call>
    void in_pieces(std::span<T> values, const Call& call) const {
        const auto longest = static_cast<std::size_t>(longest_call_);
        for (std::size_t first = 0; first < values.size(); first += longest) {
            call(values.data() + first, static_cast<int>(std::min(longest, values.size() - first)));
        }
    }

    void check(int code, const char* call) const { check_mpi(code, call, rank_); }

    std::int64_t longest_call_;
    MPI_Comm communicator_ = MPI_COMM_NULL;
    int rank_ = 0;
    int size_ = 1;
    std::unique_ptr<std::int64_t> unfinished_;  ///< value of an unfinished all_reduce_max_within
};

}  // namespace

std::unique_ptr<Communicator> make_mpi_communicator(std::int64_t longest_call) {
    return std::make_unique<MpiCommunicator>(longest_call);
}

}  // namespace vae_dist
