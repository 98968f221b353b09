#include <mpi.h>
#if defined(OPEN_MPI)
#include <mpi-ext.h>  // MPIX_Query_cuda_support
#endif

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <string_view>

#include "vae_dist/comm/mpi_communicator.hpp"
#include "vae_dist/core/error.hpp"

namespace vae_dist {

namespace {

/// The whole number in an environment variable; -1 if there is none.
std::int64_t number_from_environment(const char* name) {
    const char* text = std::getenv(name);
    if (text == nullptr) return -1;
    const std::string_view view = text;
    std::int64_t number = -1;
    const auto [end, error] = std::from_chars(view.data(), view.data() + view.size(), number);
    return error == std::errc() && end == view.data() + view.size() ? number : -1;
}

/// The number of tasks of the srun step of this process; 0 outside such a step. The batch script and an
/// interactive salloc are steps, too: they have no number, or one of the last sixteen of 32 bits.
std::int64_t srun_tasks() {
    constexpr std::int64_t kFirstReservedStep = 0xfffffff0;
    const std::int64_t step = number_from_environment("SLURM_STEP_ID");
    const bool started_by_srun = step >= 0 && step < kFirstReservedStep;
    return started_by_srun ? std::max<std::int64_t>(number_from_environment("SLURM_STEP_NUM_TASKS"), 0) : 0;
}

/// The number of processes by the launcher's variables. Slurm's variables come last, as Open MPI's mpirun may
/// start its daemons with srun.
std::int64_t processes_by_launcher() {
    for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE"}) {
        if (const std::int64_t size = number_from_environment(name); size > 0) return size;
    }
    return srun_tasks();
}

void refuse_ranks_of_another_mpi() {
    int size = 0;
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    const std::int64_t started = processes_by_launcher();
    if (size > 1 || started <= 1) return;
    throw_input_error(
        "{} processes were started, but MPI takes each for a single one: the launcher belongs to another MPI "
        "than "
        "this program ({}); use that library's own mpirun",
        started, mpi_library_version());
}

}  // namespace

bool started_by_mpi() {
    constexpr std::array kSetByLaunchers = {"OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK"};
    if (std::any_of(kSetByLaunchers.begin(), kSetByLaunchers.end(),
                    [](const char* name) { return std::getenv(name) != nullptr; })) {
        return true;
    }
    if (const std::int64_t tasks = srun_tasks(); tasks > 1) {
        throw_input_error(
            "srun started {} tasks without MPI, so that each would train the whole run alone; use "
            "'srun --mpi=pmix vae_dist ...' or 'mpirun vae_dist ...' (one process on purpose: 'mpirun -np 1 "
            "vae_dist ...')",
            tasks);
    }
    return false;
}

MpiSession::MpiSession(int& argc, char**& argv) : exceptions_at_start_(std::uncaught_exceptions()) {
    int level = MPI_THREAD_SINGLE;
    if (MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &level) != MPI_SUCCESS) {
        throw_failure("MPI cannot be initialised ({})", mpi_library_version());
    }
    if (level < MPI_THREAD_FUNNELED) {
        throw_failure("this MPI library allows no threads in its programs ({})", mpi_library_version());
    }
    refuse_ranks_of_another_mpi();
}

MpiSession::~MpiSession() {
    if (std::uncaught_exceptions() > exceptions_at_start_) return;
    int finalized = 0;
    MPI_Finalized(&finalized);
    if (finalized == 0) MPI_Finalize();
}

std::string mpi_library_version() {
    char text[MPI_MAX_LIBRARY_VERSION_STRING] = "";
    int length = 0;
    MPI_Get_library_version(text, &length);
    // Not `length` characters: Open MPI counts the zero at the end. MPICH's text has many lines.
    const std::string words = text;
    return words.substr(0, words.find('\n'));
}

bool mpi_reads_device_memory() {
#if defined(MPIX_CUDA_AWARE_SUPPORT)
    return MPIX_Query_cuda_support() == 1;
#else
    return false;
#endif
}

}  // namespace vae_dist
