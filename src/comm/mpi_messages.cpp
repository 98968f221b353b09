#include "comm/mpi_messages.hpp"

#include <chrono>
#include <exception>
#include <limits>

#include "comm/mpi_check.hpp"
#include "vae_dist/comm/backoff.hpp"
#include "vae_dist/core/error.hpp"
#include "vae_dist/core/text.hpp"

namespace vae_dist {

namespace {

constexpr int kTag = 0;

int as_count(std::size_t bytes) {
    if (bytes > static_cast<std::size_t>(std::numeric_limits<int>::max())) {
        throw_failure("a message of {} is longer than MPI can carry in one", format_bytes(bytes));
    }
    return static_cast<int>(bytes);
}

}  // namespace

MpiMessages::MpiMessages(MPI_Comm ranks) {
    check(MPI_Comm_rank(ranks, &rank_), "MPI_Comm_rank");
    check(MPI_Comm_size(ranks, &size_), "MPI_Comm_size");
    check(MPI_Comm_dup(ranks, &communicator_), "MPI_Comm_dup");
    check(MPI_Comm_set_errhandler(communicator_, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
}

MpiMessages::~MpiMessages() {
    int finalized = 0;
    MPI_Finalized(&finalized);
    if (finalized != 0 || !cancel_all()) return;
    // Only this rank may have thrown, and MPI_Comm_free is collective.
    if (std::uncaught_exceptions() == exceptions_) MPI_Comm_free(&communicator_);
}

void MpiMessages::send(std::span<const std::byte> bytes, int to) {
    expect_other(to);
    MPI_Request request = MPI_REQUEST_NULL;
    check(MPI_Isend(bytes.data(), as_count(bytes.size()), MPI_BYTE, to, kTag, communicator_, &request),
          "MPI_Isend");
    requests_.push_back(request);
    receive_of_.push_back(kSend);
    ++under_way_;
}

std::size_t MpiMessages::receive(std::span<std::byte> into, int from) {
    expect_other(from);
    MPI_Request request = MPI_REQUEST_NULL;
    check(MPI_Irecv(into.data(), as_count(into.size()), MPI_BYTE, from, kTag, communicator_, &request),
          "MPI_Irecv");
    request_of_.push_back(requests_.size());
    receive_of_.push_back(receives_.size());
    receives_.push_back({from, into.size(), kUnderWay});
    requests_.push_back(request);
    ++under_way_;
    return receives_.size() - 1;
}

void MpiMessages::progress() {
    if (under_way_ == 0) return;
    indices_.resize(requests_.size());
    statuses_.resize(requests_.size());
    int count = 0;
    const int code = MPI_Testsome(static_cast<int>(requests_.size()), requests_.data(), &count,
                                  indices_.data(), statuses_.data());
    if (code != MPI_ERR_IN_STATUS) check(code, "MPI_Testsome");
    require(count != MPI_UNDEFINED, "messages under way have requests");
    // All requests are recorded before the error of one is thrown.
    std::exception_ptr failure;
    for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
        const int error = code == MPI_SUCCESS ? MPI_SUCCESS : statuses_[i].MPI_ERROR;
        try {
            complete(static_cast<std::size_t>(indices_[i]), statuses_[i], error);
        } catch (...) {
            if (!failure) failure = std::current_exception();
        }
    }
    if (failure) std::rethrow_exception(failure);
}

bool MpiMessages::has_received(std::size_t n) {
    require(n < receives_.size(), "a receive is asked for before wait_all forgets it");
    if (receives_[n].length != kUnderWay) return true;
    const std::size_t index = request_of_[n];
    int done = 0;
    MPI_Status status;
    const int error = MPI_Test(&requests_[index], &done, &status);
    if (error == MPI_SUCCESS && done == 0) return false;
    complete(index, status, error);
    return true;
}

std::size_t MpiMessages::received(std::size_t n) const {
    require(n < receives_.size() && receives_[n].length != kUnderWay,
            "the length of a message is known once it is there");
    return receives_[n].length;
}

void MpiMessages::wait_for(std::size_t n) {
    for (Backoff backoff; !has_received(n);)
        backoff.pause();
}

void MpiMessages::wait_all() {
    for (Backoff backoff; under_way_ > 0; backoff.pause())
        progress();
    requests_.clear();
    receive_of_.clear();
    request_of_.clear();
    receives_.clear();
}

void MpiMessages::complete(std::size_t index, const MPI_Status& status, int error) {
    --under_way_;
    const std::size_t number = receive_of_[index];
    if (number == kSend) return check(error, "MPI_Isend");
    Receive& receive = receives_[number];
    int error_class = MPI_SUCCESS;
    MPI_Error_class(error, &error_class);
    if (error_class == MPI_ERR_TRUNCATE) {
        throw_failure("rank {}: a message from rank {} is longer than its place of {}", rank_, receive.from,
                      format_bytes(receive.place));
    }
    check(error, "MPI_Irecv");
    int length = 0;
    check(MPI_Get_count(&status, MPI_BYTE, &length), "MPI_Get_count");
    receive.length = static_cast<std::size_t>(length);
}

// A receive without a message is cancelled at once. Messages that are arriving or being sent get a moment, as
// their memory is likely to be freed soon.
bool MpiMessages::cancel_all() noexcept {
    using Clock = std::chrono::steady_clock;
    constexpr std::chrono::milliseconds kMoment{200};
    for (std::size_t i = 0; i < requests_.size(); ++i) {
        if (requests_[i] != MPI_REQUEST_NULL && receive_of_[i] != kSend) MPI_Cancel(&requests_[i]);
    }
    const Clock::time_point latest = Clock::now() + kMoment;
    Backoff backoff;
    while (true) {
        int done = 0;
        // An error ends the loop, too.
        if (MPI_Testall(static_cast<int>(requests_.size()), requests_.data(), &done, MPI_STATUSES_IGNORE) !=
                MPI_SUCCESS ||
            done != 0) {
            return done != 0;
        }
        if (Clock::now() > latest) return false;
        backoff.pause();
    }
}

void MpiMessages::expect_other(int rank) const {
    require(rank >= 0 && rank < size_ && rank != rank_, "messages go to other ranks of the group");
}

void MpiMessages::check(int code, const char* call) const {
    check_mpi(code, call, rank_);
}

}  // namespace vae_dist
