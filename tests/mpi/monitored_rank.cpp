// Ranks that wait for each other again and again, with a failure detector, for at most a minute or until a
// test kills or stops one. Arguments: warning and limit of the detector in milliseconds; how they wait for
// each other: "calls", "memory" or "messages".

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <span>
#include <string>
#include <thread>

#include "vae_dist/comm/failure_detector.hpp"
#include "vae_dist/comm/mpi_communicator.hpp"
#include "vae_dist/comm/shared_memory.hpp"

namespace {

using vae_dist::Communicator;

void wait_by_calls(Communicator& communicator, const std::function<bool()>& work) {
    for (std::int64_t time_is_over = 0; time_is_over == 0;) {
        time_is_over = work() ? 0 : 1;
        communicator.all_reduce_max(std::span(&time_is_over, 1));
    }
}

void wait_in_memory(Communicator& communicator, const std::function<bool()>& work) {
    vae_dist::HostBarrier barrier(communicator, vae_dist::find_hosts(communicator, true));
    while (work())
        barrier.wait();
}

// Each sends to the next.
void wait_by_messages(Communicator& communicator, const std::function<bool()>& work) {
    const auto messages = communicator.make_messages();
    const int size = communicator.size();
    const int next = (communicator.rank() + 1) % size;
    const int previous = (communicator.rank() + size - 1) % size;
    std::array<std::byte, 100> sent{};
    std::array<std::byte, 100> got{};
    while (work()) {
        messages->send(sent, next);
        messages->wait_for(messages->receive(got, previous));
        messages->wait_all();
    }
}

void run(Communicator& communicator, const std::string& how) {
    using Clock = std::chrono::steady_clock;
    const Clock::time_point start = Clock::now();
    const auto work = [&] {
        communicator.set_activity("computing");
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
        return Clock::now() - start < std::chrono::minutes(1);
    };
    if (how == "calls") wait_by_calls(communicator, work);
    if (how == "memory") wait_in_memory(communicator, work);
    if (how == "messages") wait_by_messages(communicator, work);
}

}  // namespace

int main(int argc, char** argv) {
    // mpirun sends it when a rank has died; the trainer does not end of it at once, either.
    std::signal(SIGTERM, SIG_IGN);
    const vae_dist::MpiSession session(argc, argv);
    const auto communicator = vae_dist::make_mpi_communicator();
    const vae_dist::Log log(communicator->rank());
    vae_dist::FailureDetectorOptions options;
    options.warning = std::chrono::milliseconds(std::stoi(argv[1]));
    options.limit = std::chrono::milliseconds(std::stoi(argv[2]));
    vae_dist::FailureDetector detector(*communicator, options, log);
    fmt::print("rank {} pid {}\n", communicator->rank(), ::getpid());
    std::fflush(stdout);
    run(detector.communicator(), argv[3]);
    return 0;
}
