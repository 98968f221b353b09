// Rank 1 fails while the others wait in a collective. Argument: what rank 1 does, "abort" (catches the error
// and aborts with status 3) or "throw" (lets the exception leave the MpiSession's scope, and ends with status
// 4).

#include <cstdio>
#include <string>

#include "vae_dist/comm/mpi_communicator.hpp"
#include "vae_dist/core/error.hpp"

namespace {

void run(int argc, char** argv, bool abort) {
    const vae_dist::MpiSession session(argc, argv);
    const auto communicator = vae_dist::make_mpi_communicator();
    communicator->barrier();
    try {
        if (communicator->rank() == 1) {
            std::puts("failing");
            std::fflush(stdout);
            vae_dist::throw_failure("made to fail");
        }
        communicator->barrier();
    } catch (const vae_dist::Error&) {
        if (abort) communicator->abort(3);
        throw;
    }
}

}  // namespace

int main(int argc, char** argv) {
    try {
        run(argc, argv, argc > 1 && std::string(argv[1]) == "abort");
    } catch (const vae_dist::Error&) {
        return 4;
    }
    return 0;
}
