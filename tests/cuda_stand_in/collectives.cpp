#include <mpi.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "collective_work.hpp"
#include "device_memory.hpp"
#include "environment.hpp"
#include "nccl.h"
#include "stand_in.hpp"
#include "streams.hpp"

// Collectives by MPI, all ranks of MPI_COMM_WORLD among themselves.

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

int group_depth = 0;
std::vector<std::pair<Collective, cudaStream_t>> group;

// From the call on that VAE_DIST_STAND_IN_FAIL names, nothing is completed.
ncclResult_t queue(const Collective& collective, cudaStream_t stream) {
    const bool hangs = is_to_fail("ncclAsync");
    if (hangs) collective.members->error = ncclRemoteError;
    const cudaError_t queued = enqueue(
        stream, {.start_collective = [collective] { return attempts_at(collective); }, .never_ends = hangs});
    return queued == cudaSuccess ? ncclSuccess : ncclUnhandledCudaError;
}

ncclResult_t call(Kind kind, const void* from, void* to, std::size_t count, ncclDataType_t type,
                  ncclComm_t communicator, cudaStream_t stream) {
    const Collective collective = {kind, from, to, count, type, communicator->members, capture_of(stream)};
    if (!on_device(from, collective.bytes_sent()) || !on_device(to, collective.bytes_received()))
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
