// Ranks that go from barrier to barrier below a watch, for at most a minute, until somebody hurts them.
// Arguments: warning and limit of the watch in milliseconds.

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <span>
#include <string>
#include <thread>

#include "vae_dist/comm/mpi_communicator.hpp"
#include "vae_dist/comm/rank_watch.hpp"

namespace {

void run(vae_dist::Communicator& communicator) {
    using Clock = std::chrono::steady_clock;
    const Clock::time_point start = Clock::now();
    std::int64_t time_is_over = 0;
    while (time_is_over == 0) {
        communicator.doing("counting sheep");
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
        time_is_over = Clock::now() - start > std::chrono::minutes(1) ? 1 : 0;
        communicator.all_reduce_max(std::span(&time_is_over, 1));
    }
}

}  // namespace

int main(int argc, char** argv) {
    // mpirun sends it when a rank has died; to the trainer too it is only a wish.
    std::signal(SIGTERM, SIG_IGN);
    const vae_dist::MpiSession session(argc, argv);
    const auto communicator = vae_dist::make_mpi_communicator();
    const vae_dist::Log log(communicator->rank());
    vae_dist::RankWatchOptions options;
    options.warning = std::chrono::milliseconds(std::stoi(argv[1]));
    options.limit = std::chrono::milliseconds(std::stoi(argv[2]));
    vae_dist::RankWatch watch(*communicator, options, log);
    fmt::print("rank {} pid {}\n", communicator->rank(), ::getpid());
    std::fflush(stdout);
    run(watch.communicator());
    return 0;
}
