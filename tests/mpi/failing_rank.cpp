// Rank 1 fails. Argument: how.
// "abort": the others wait in a collective; rank 1 catches the error and aborts with status 3.
// "throw": as above, but the exception leaves the MpiSession's scope; rank 1 ends with status 4.
// "together": the others are at work for a minute, rank 1 fails in its part of it and aborts with status 3.

#include <chrono>
#include <cstdio>
#include <string>
#include <thread>

#include "vae_dist/comm/agreement.hpp"
#include "vae_dist/comm/mpi_communicator.hpp"
#include "vae_dist/core/error.hpp"

namespace {

void fail() {
    std::puts("failing");
    std::fflush(stdout);
    vae_dist::throw_failure("made to fail");
}

void run(int argc, char** argv, const std::string& how) {
    const vae_dist::MpiSession session(argc, argv);
    const auto communicator = vae_dist::make_mpi_communicator();
    communicator->barrier();
    try {
        if (how == "together") {
            vae_dist::run_together(*communicator, [&] {
                if (communicator->rank() == 1) fail();
                std::this_thread::sleep_for(std::chrono::seconds(60));
            });
        }
        if (communicator->rank() == 1) fail();
        communicator->barrier();
    } catch (const vae_dist::Error& error) {
        std::printf("rank %d: %s\n", communicator->rank(), error.what());
        std::fflush(stdout);
        if (how != "throw" && !error.on_all_ranks()) communicator->abort(3);
        throw;
    }
}

}  // namespace

int main(int argc, char** argv) {
    try {
        run(argc, argv, argc > 1 ? argv[1] : "");
    } catch (const vae_dist::Error&) {
        return 4;
    }
    return 0;
}
