#include <mpi.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "device_memory.hpp"
#include "environment.hpp"
#include "nccl.h"
#include "stand_in.hpp"
#include "streams.hpp"

// Collectives by MPI, all ranks of MPI_COMM_WORLD among themselves.

namespace cuda_stand_in {

namespace {

/// What the queued work of a communicator shares with it.
struct Members {
    MPI_Comm mpi = MPI_COMM_NULL;  ///< none where there is one rank
    int rank = 0;
    int ranks = 1;
    bool aborted = false;
    ncclResult_t error = ncclSuccess;
};

}  // namespace

}  // namespace cuda_stand_in

struct ncclComm {
    std::shared_ptr<cuda_stand_in::Members> members;
};

namespace cuda_stand_in {

namespace {

std::string last_words;

ncclResult_t fail(ncclResult_t error, const std::string& words) {
    last_words = words;
    return error;
}

std::size_t bytes_of(ncclDataType_t type) {
    return type == ncclInt64 ? 8 : type == ncclFloat32 ? 4 : 2;
}

MPI_Datatype mpi_type(ncclDataType_t type) {
    return type == ncclInt64 ? MPI_UINT64_T : MPI_FLOAT;  // unsigned numbers wrap around; bfloat16 is widened
}

enum class Kind : std::int64_t { all_reduce, reduce_scatter, all_gather };

struct Collective {
    Kind kind;
    const void* from;
    void* to;
    std::size_t count;
    ncclDataType_t type;
    std::shared_ptr<Members> members;

    std::size_t sent() const {
        const auto ranks = static_cast<std::size_t>(members->ranks);
        return kind == Kind::reduce_scatter ? count * ranks : count;
    }
    std::size_t received() const {
        const auto ranks = static_cast<std::size_t>(members->ranks);
        return kind == Kind::all_gather ? count * ranks : count;
    }

    void operator()() const {
        if (members->aborted) return;
        ++done().collectives;
        const std::size_t element = bytes_of(type);
        if (members->ranks == 1) {
            std::memmove(to, from, count * element);
            return;
        }
        check_agreement();
        if (kind == Kind::all_gather) {
            std::vector<std::byte> all(received() * element);
            const std::vector<std::byte> mine = copy_of(from, sent() * element);
            MPI_Allgather(mine.data(), static_cast<int>(mine.size()), MPI_BYTE, all.data(),
                          static_cast<int>(mine.size()), MPI_BYTE, members->mpi);
            std::memcpy(to, all.data(), all.size());
        } else if (type == ncclBfloat16) {
            reduce_bfloat16();
        } else {
            const std::vector<std::byte> mine = copy_of(from, sent() * element);
            std::vector<std::byte> sums(received() * element);
            reduce(mine.data(), sums.data());
            std::memcpy(to, sums.data(), sums.size());
        }
    }

 private:
    static std::vector<std::byte> copy_of(const void* data, std::size_t bytes) {
        const auto* const first = static_cast<const std::byte*>(data);
        return {first, first + bytes};
    }

    void reduce(const void* mine, void* sums) const {
        const auto length = static_cast<int>(count);
        if (kind == Kind::all_reduce) {
            MPI_Allreduce(mine, sums, length, mpi_type(type), MPI_SUM, members->mpi);
        } else {
            MPI_Reduce_scatter_block(mine, sums, length, mpi_type(type), MPI_SUM, members->mpi);
        }
    }

    void reduce_bfloat16() const {
        std::vector<float> mine(sent());
        const auto* const halves = static_cast<const std::uint16_t*>(from);
        for (std::size_t i = 0; i < mine.size(); ++i) {
            const std::uint32_t bits = std::uint32_t{halves[i]} << 16;
            std::memcpy(&mine[i], &bits, sizeof bits);
        }
        std::vector<float> sums(received());
        reduce(mine.data(), sums.data());
        auto* const rounded = static_cast<std::uint16_t*>(to);
        for (std::size_t i = 0; i < sums.size(); ++i) {
            std::uint32_t bits = 0;
            std::memcpy(&bits, &sums[i], sizeof bits);
            rounded[i] = static_cast<std::uint16_t>((bits + 0x7FFFU + ((bits >> 16) & 1U)) >> 16);
        }
    }

    // NCCL hangs, or worse, where ranks call different things.
    void check_agreement() const {
        std::int64_t mine[] = {static_cast<std::int64_t>(kind), static_cast<std::int64_t>(count),
                               static_cast<std::int64_t>(type)};
        std::int64_t least[3];
        std::int64_t most[3];
        MPI_Allreduce(mine, least, 3, MPI_INT64_T, MPI_MIN, members->mpi);
        MPI_Allreduce(mine, most, 3, MPI_INT64_T, MPI_MAX, members->mpi);
        if (std::equal(least, least + 3, most)) return;
        std::fprintf(stderr, "stand-in: the ranks call different collectives\n");
        std::abort();
    }
};

int group_depth = 0;
std::vector<std::pair<Collective, cudaStream_t>> group;

// From the call on that VAE_DIST_STAND_IN_FAIL names, nothing is completed.
ncclResult_t queue(const Collective& collective, cudaStream_t stream) {
    const bool hangs = is_to_fail("ncclAsync");
    if (hangs) collective.members->error = ncclRemoteError;
    const cudaError_t queued = enqueue(stream, {.work = collective,
                                                .kernel = {},
                                                .waits_for_ranks = collective.members->ranks > 1,
                                                .never_ends = hangs});
    return queued == cudaSuccess ? ncclSuccess : ncclUnhandledCudaError;
}

ncclResult_t call(Kind kind, const void* from, void* to, std::size_t count, ncclDataType_t type,
                  ncclComm_t communicator, cudaStream_t stream) {
    const Collective collective = {kind, from, to, count, type, communicator->members};
    const std::size_t element = bytes_of(type);
    if (!on_device(from, collective.sent() * element) || !on_device(to, collective.received() * element))
        return fail(ncclInvalidArgument, "an array does not lie in the device's memory");
    if (group_depth > 0) {
        group.emplace_back(collective, stream);
        return ncclSuccess;
    }
    return queue(collective, stream);
}

// Whether all ranks were given rank 0's id, and each has a device of its own.
ncclResult_t join(Members& members, const ncclUniqueId& id) {
    MPI_Comm_dup(MPI_COMM_WORLD, &members.mpi);
    ncclUniqueId first = id;
    MPI_Bcast(&first, sizeof first, MPI_BYTE, 0, members.mpi);
    int differ = std::memcmp(&first, &id, sizeof id) != 0 ? 1 : 0;
    MPI_Allreduce(MPI_IN_PLACE, &differ, 1, MPI_INT, MPI_MAX, members.mpi);
    return differ == 0 ? ncclSuccess : fail(ncclInvalidUsage, "the ranks have different identifiers");
}

}  // namespace

}  // namespace cuda_stand_in

using namespace cuda_stand_in;

ncclResult_t ncclGetVersion(int* version) {
    *version = is_to_fail("ncclGetVersion") ? NCCL_VERSION_CODE - 100 : NCCL_VERSION_CODE;
    return ncclSuccess;
}

const char* ncclGetErrorString(ncclResult_t error) {
    switch (error) {
        case ncclSuccess:
            return "no error";
        case ncclSystemError:
            return "unhandled system error";
        case ncclRemoteError:
            return "remote process exited or there was a network error";
        case ncclInvalidUsage:
            return "invalid usage";
        case ncclInvalidArgument:
            return "invalid argument";
        default:
            return "unknown result code";
    }
}

const char* ncclGetLastError(ncclComm_t) {
    return last_words.c_str();
}

ncclResult_t ncclGetUniqueId(ncclUniqueId* id) {
    if (is_to_fail("ncclGetUniqueId")) return ncclSystemError;
    std::random_device random;
    for (char& byte : id->internal)
        byte = static_cast<char>(random());
    return ncclSuccess;
}

ncclResult_t ncclCommInitRank(ncclComm_t* communicator, int ranks, ncclUniqueId id, int rank) {
    if (is_to_fail("ncclCommInitRank")) return fail(ncclSystemError, "no network was found");
    auto members = std::make_shared<Members>();
    members->rank = rank;
    members->ranks = ranks;
    if (ranks > 1) {
        int there = 0;
        MPI_Comm_size(MPI_COMM_WORLD, &there);
        if (there != ranks) return fail(ncclInvalidUsage, "not all ranks of MPI take part");
        if (const ncclResult_t joined = join(*members, id); joined != ncclSuccess) return joined;
    }
    *communicator = new ncclComm{std::move(members)};
    ++live().communicators;
    return ncclSuccess;
}

// The ranks of MPI stay as they are: to free them would need all. NCCL would wait for graphs for ever.
ncclResult_t ncclCommAbort(ncclComm_t communicator) {
    communicator->members->aborted = true;
    call_off_endless();
    finish_all();
    if (communicator->members.use_count() > 1) {
        std::fprintf(stderr, "stand-in: ncclCommAbort, but a graph still refers to the communicator\n");
        std::abort();
    }
    delete communicator;
    --live().communicators;
    return ncclSuccess;
}

ncclResult_t ncclCommGetAsyncError(ncclComm_t communicator, ncclResult_t* error) {
    *error = communicator->members->error;
    return ncclSuccess;
}

ncclResult_t ncclCommUserRank(const ncclComm_t communicator, int* rank) {
    *rank = communicator->members->rank;
    return ncclSuccess;
}

ncclResult_t ncclGroupStart() {
    ++group_depth;
    return ncclSuccess;
}

ncclResult_t ncclGroupEnd() {
    if (group_depth == 0) return fail(ncclInvalidUsage, "no group was started");
    if (--group_depth > 0) return ncclSuccess;
    const auto calls = std::exchange(group, {});
    for (const auto& [collective, stream] : calls)
        if (const ncclResult_t queued = queue(collective, stream); queued != ncclSuccess) return queued;
    return ncclSuccess;
}

ncclResult_t ncclAllReduce(const void* from, void* to, std::size_t count, ncclDataType_t type, ncclRedOp_t,
                           ncclComm_t communicator, cudaStream_t stream) {
    if (is_to_fail("ncclAllReduce")) return fail(ncclSystemError, "the network is gone");
    return call(Kind::all_reduce, from, to, count, type, communicator, stream);
}

ncclResult_t ncclReduceScatter(const void* from, void* to, std::size_t count, ncclDataType_t type,
                               ncclRedOp_t, ncclComm_t communicator, cudaStream_t stream) {
    if (is_to_fail("ncclReduceScatter")) return fail(ncclSystemError, "the network is gone");
    return call(Kind::reduce_scatter, from, to, count, type, communicator, stream);
}

ncclResult_t ncclAllGather(const void* from, void* to, std::size_t count, ncclDataType_t type,
                           ncclComm_t communicator, cudaStream_t stream) {
    if (is_to_fail("ncclAllGather")) return fail(ncclSystemError, "the network is gone");
    return call(Kind::all_gather, from, to, count, type, communicator, stream);
}
