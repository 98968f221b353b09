#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "vae_dist/comm/communicator.hpp"

namespace vae_dist {

/// MPI's initialisation as an object: the constructor initialises with MPI_THREAD_FUNNELED, the destructor
/// finalises. One object a process, in `main`, that outlives every MpiCommunicator; only if
/// `started_by_mpi()`. MPI itself ends the job where it cannot initialise.
///
/// After an exception the destructor does not finalise, for MPI_Finalize waits for all ranks: mpirun then
/// finds a process that ended early, and ends the others.
class MpiSession {
 public:
    /// Throws an input error where the launcher started several processes that this MPI library takes for
    /// single ones (an mpirun of another MPI): each would train the whole run alone, all into one directory.
    MpiSession(int& argc, char**& argv);
    ~MpiSession();
    MpiSession(const MpiSession&) = delete;
    MpiSession& operator=(const MpiSession&) = delete;

 private:
    int exceptions_at_start_;
};

/// Whether mpirun or srun --mpi=pmix started this process, so that MPI must be initialised. Reads environment
/// variables only. Throws an input error where srun started several tasks without MPI: each would train the
/// whole run alone, all into one directory.
bool started_by_mpi();

/// A duplicate of MPI_COMM_WORLD, whose errors are thrown. A call of more than
/// `longest_call` elements (1 to INT_MAX, equal on all ranks) is cut into several: MPI counts in `int`, and
/// needs temporary memory of the size of what one call reduces.
std::unique_ptr<Communicator> make_mpi_communicator(std::int64_t longest_call = std::int64_t{1} << 24);

/// "Open MPI v4.1.4, ...", as the library describes itself.
std::string mpi_library_version();

/// Whether the library, by its own account, can send and reduce arrays in a GPU's memory (CUDA-aware MPI).
bool mpi_reads_device_memory();

}  // namespace vae_dist
