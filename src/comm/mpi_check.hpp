#pragma once

namespace vae_dist {

/// Throws ErrorKind::failure naming `call` and `rank` unless `code`, which it returned, is MPI_SUCCESS.
void check_mpi(int code, const char* call, int rank);

}  // namespace vae_dist
