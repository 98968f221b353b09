#include "comm/mpi_check.hpp"

#include <mpi.h>

#include "vae_dist/core/error.hpp"

namespace vae_dist {

void check_mpi(int code, const char* call, int rank) {
    if (code == MPI_SUCCESS) return;
    char text[MPI_MAX_ERROR_STRING] = "unknown error";
    int length = 0;
    MPI_Error_string(code, text, &length);
    throw_failure("{} failed on rank {}: {}", call, rank, text);
}

}  // namespace vae_dist
