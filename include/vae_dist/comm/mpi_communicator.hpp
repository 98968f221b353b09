#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "vae_dist/comm/communicator.hpp"

namespace vae_dist {

/// MPI's initialisation as an object: initialises with MPI_THREAD_FUNNELED, finalises when destroyed. One per
/// process, in `main`, outliving every MpiCommunicator; only where `started_by_mpi()`. MPI itself ends the
/// job where it cannot initialise.
///
/// Destroyed by an exception on its way out it does not finalise, for MPI_Finalize waits for all ranks:
/// mpirun then sees a process that left early, and ends the others.
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

/// True if this process was started by mpirun or by srun --mpi=pmix, so that MPI must be initialised. Reads
/// environment variables only.
/// Throws an input error where srun started several tasks without MPI: each would train the whole run alone,
/// all into one directory.
bool started_by_mpi();

/// A duplicate of MPI_COMM_WORLD whose errors are returned and thrown rather than fatal. A call of more than
/// `longest_call` elements (1 to INT_MAX, equal on all ranks) is cut into several: MPI counts in `int`, and
/// takes temporary memory as large as what one call reduces.
std::unique_ptr<Communicator> make_mpi_communicator(std::int64_t longest_call = std::int64_t{1} << 24);

/// "Open MPI v4.1.4, ...", the library's own words.
std::string mpi_library_version();

/// Whether the library says that it can send and reduce what lies in a GPU's memory (CUDA-aware MPI).
bool mpi_reads_device_memory();

}  // namespace vae_dist
