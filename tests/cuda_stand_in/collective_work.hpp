#pragma once

#include <mpi.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

#include "nccl.h"

namespace cuda_stand_in {

/// What the queued work of a communicator shares with it.
struct Members {
    MPI_Comm mpi = MPI_COMM_NULL;  ///< none where there is one rank
    int rank = 0;
    int ranks = 1;
    bool aborted = false;
    ncclResult_t error = ncclSuccess;
};

enum class Kind : std::int64_t { all_reduce, reduce_scatter, all_gather };

/// A call of NCCL's.
struct Collective {
    Kind kind;
    const void* from;
    void* to;
    std::size_t count;
    ncclDataType_t type;
    std::shared_ptr<Members> members;
    int capture;  ///< that it is part of; 0: of none. Of all ranks the same, says NCCL's user guide

    std::size_t bytes_sent() const;
    std::size_t bytes_received() const;
};

/// Attempts at it: each begins or goes on with it by MPI, without waiting, and says whether it is done. Ends
/// the program where ranks call different things: NCCL would hang, or worse.
std::function<bool()> attempts_at(const Collective& collective);

}  // namespace cuda_stand_in
