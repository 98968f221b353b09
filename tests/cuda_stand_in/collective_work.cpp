#include "collective_work.hpp"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "device_memory.hpp"
#include "stand_in.hpp"

namespace cuda_stand_in {

namespace {

std::size_t bytes_of(ncclDataType_t type) {
    return type == ncclInt64 ? 8 : type == ncclFloat32 ? 4 : 2;
}

MPI_Datatype mpi_type(ncclDataType_t type) {
    return type == ncclInt64 ? MPI_UINT64_T : MPI_FLOAT;  // unsigned numbers wrap around; bfloat16 is widened
}

std::vector<std::byte> widened(const std::vector<std::byte>& halves) {
    std::vector<std::byte> floats(2 * halves.size());
    for (std::size_t i = 0; i < halves.size() / 2; ++i)
        std::memcpy(&floats[4 * i + 2], &halves[2 * i], 2);
    return floats;
}

// To nearest, ties to even.
std::vector<std::byte> narrowed(const std::vector<std::byte>& floats) {
    std::vector<std::byte> halves(floats.size() / 2);
    for (std::size_t i = 0; i < halves.size() / 2; ++i) {
        std::uint32_t bits = 0;
        std::memcpy(&bits, &floats[4 * i], sizeof bits);
        const auto half = static_cast<std::uint16_t>((bits + 0x7FFFU + ((bits >> 16) & 1U)) >> 16);
        std::memcpy(&halves[2 * i], &half, sizeof half);
    }
    return halves;
}

/// One collective on its way.
class Work {
 public:
    explicit Work(const Collective& collective) : c_(collective) {}

    bool attempt() {
        if (c_.members->aborted) return true;
        if (c_.members->ranks == 1) {
            const DeviceAccess access;
            std::memmove(c_.to, c_.from, c_.bytes_sent());
            return finish();
        }
        switch (stage_) {
            case Stage::fresh:
                start_agreement();
                break;
            case Stage::agreeing:
                if (!has_arrived()) break;
                check_agreement();
                start_transfer();
                break;
            case Stage::transferring:
                if (!has_arrived()) break;
                store_result();
                return finish();
        }
        return false;
    }

    /// MPI may still read and write the buffers.
    bool is_pending() const { return request_ != MPI_REQUEST_NULL; }
    void let_go_of_members() { c_.members.reset(); }

 private:
    static constexpr std::size_t kNumbers = 4;  // that ranks compare
    enum class Stage { fresh, agreeing, transferring };

    static bool finish() {
        ++done().collectives;
        return true;
    }

    void copy_what_is_sent() {
        const DeviceAccess access;
        const auto* const first = static_cast<const std::byte*>(c_.from);
        sent_.assign(first, first + c_.bytes_sent());
    }

    bool has_arrived() {
        int arrived = 0;
        MPI_Test(&request_, &arrived, MPI_STATUS_IGNORE);
        return arrived != 0;
    }

    // The largest of each number and of its negative: equal where all are.
    void start_agreement() {
        const std::int64_t mine[kNumbers] = {static_cast<std::int64_t>(c_.kind),
                                             static_cast<std::int64_t>(c_.count),
                                             static_cast<std::int64_t>(c_.type), c_.capture};
        for (std::size_t i = 0; i < kNumbers; ++i) {
            most_[i] = mine[i];
            most_[i + kNumbers] = -mine[i];
        }
        MPI_Iallreduce(MPI_IN_PLACE, most_.data(), 2 * kNumbers, MPI_INT64_T, MPI_MAX, c_.members->mpi,
                       &request_);
        stage_ = Stage::agreeing;
    }

    void check_agreement() const {
        for (std::size_t i = 0; i < kNumbers; ++i) {
            if (most_[i] == -most_[i + kNumbers]) continue;
            std::fprintf(stderr, "stand-in: the ranks call different collectives, or in different graphs\n");
            std::abort();
        }
    }

    void start_transfer() {
        copy_what_is_sent();
        received_.resize(c_.bytes_received());
        if (is_sum_of_halves()) {
            sent_ = widened(sent_);
            received_.resize(2 * received_.size());
        }
        const auto count = static_cast<int>(c_.count);
        const MPI_Datatype type = mpi_type(c_.type);
        if (c_.kind == Kind::all_gather) {
            const auto bytes = static_cast<int>(sent_.size());
            MPI_Iallgather(sent_.data(), bytes, MPI_BYTE, received_.data(), bytes, MPI_BYTE, c_.members->mpi,
                           &request_);
        } else if (c_.kind == Kind::all_reduce) {
            MPI_Iallreduce(sent_.data(), received_.data(), count, type, MPI_SUM, c_.members->mpi, &request_);
        } else {
            MPI_Ireduce_scatter_block(sent_.data(), received_.data(), count, type, MPI_SUM, c_.members->mpi,
                                      &request_);
        }
        stage_ = Stage::transferring;
    }

    void store_result() const {
        const DeviceAccess access;
        std::memcpy(c_.to, result().data(), c_.bytes_received());
    }

    bool is_sum_of_halves() const { return c_.type == ncclBfloat16 && c_.kind != Kind::all_gather; }
    std::vector<std::byte> result() const { return is_sum_of_halves() ? narrowed(received_) : received_; }

    Collective c_;
    Stage stage_ = Stage::fresh;
    MPI_Request request_ = MPI_REQUEST_NULL;
    std::array<std::int64_t, 2 * kNumbers> most_{};
    std::vector<std::byte> sent_, received_;
};

}  // namespace

std::size_t Collective::bytes_sent() const {
    return count * bytes_of(type) *
           (kind == Kind::reduce_scatter ? static_cast<std::size_t>(members->ranks) : 1);
}

std::size_t Collective::bytes_received() const {
    return count * bytes_of(type) * (kind == Kind::all_gather ? static_cast<std::size_t>(members->ranks) : 1);
}

std::function<bool()> attempts_at(const Collective& collective) {
    // What is called off on its way stays: MPI is not done with it.
    const std::shared_ptr<Work> work(new Work(collective), [](Work* gone) {
        if (!gone->is_pending()) {
            delete gone;
        } else {
            gone->let_go_of_members();
        }
    });
    return [work] { return work->attempt(); };
}

}  // namespace cuda_stand_in
