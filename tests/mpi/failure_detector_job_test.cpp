// Real ranks below mpirun, of which one is killed or stopped from outside.

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <map>
#include <string>
#include <thread>
#include <tuple>

namespace {

using Clock = std::chrono::steady_clock;

constexpr int kRanks = 3;

struct JobEnd {
    int status = -1;
    double seconds = -1;  ///< from the signal to the end of mpirun
    std::string output;   ///< since then
};

/// Whether a process is gone within seconds; else it is killed.
bool is_gone(int process) {
    for (int i = 0; i < 1000; ++i) {
        if (kill(process, 0) != 0) return true;
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    kill(process, SIGKILL);
    return false;
}

/// Sends `signal` to `rank` of monitored_rank as soon as all ranks are at work, which wait for each other as
/// `how` says. Where a rank dies, mpirun gives the others 2 seconds for a report, not 1 as usual: the machine
/// may be busy.
JobEnd run_job(int rank, int signal, const std::string& warning_and_limit, const std::string& how) {
    const std::string command =
        "OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 "
        "OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_hwloc_base_binding_policy=none "
        "OMPI_MCA_odls_base_sigkill_timeout=2 MPIEXEC_TIMEOUT=90 " MPIEXEC " " +
        std::to_string(kRanks) + " '" MONITORED_RANK "' " + warning_and_limit + " " + how + " 2>&1";
    FILE* job = popen(command.c_str(), "r");
    JobEnd end;
    if (job == nullptr) return end;
    std::map<int, int> processes;
    Clock::time_point signalled_at;
    char line[1024];
    while (std::fgets(line, sizeof line, job) != nullptr) {
        end.output += line;
        int number = 0;
        int process = 0;
        if (std::sscanf(line, "rank %d pid %d", &number, &process) == 2) processes[number] = process;
        if (processes.size() < kRanks || signalled_at != Clock::time_point()) continue;
        signalled_at = Clock::now();
        kill(processes.at(rank), signal);
    }
    const int status = pclose(job);
    for (const auto& [number, process] : processes)
        EXPECT_TRUE(is_gone(process)) << "rank " << number;
    if (WIFEXITED(status)) end.status = WEXITSTATUS(status);
    if (signalled_at != Clock::time_point())
        end.seconds = std::chrono::duration<double>(Clock::now() - signalled_at).count();
    return end;
}

std::size_t count(const std::string& text, const std::string& what) {
    std::size_t found = 0;
    for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1))
        ++found;
    return found;
}

/// How the ranks wait for each other, and the rank that gets the signal.
using Case = std::tuple<std::string, int>;

std::string name_of(const testing::TestParamInfo<Case>& instance) {
    const auto& [how, rank] = instance.param;
    return how + std::to_string(rank);
}

class KilledRank : public testing::TestWithParam<Case> {};

TEST_P(KilledRank, EndsTheJobWithinSecondsAndIsNamedOnce) {
    const auto& [how, rank] = GetParam();
    const JobEnd end = run_job(rank, SIGKILL, "60000 1800000", how);
    EXPECT_NE(end.status, 0);
    EXPECT_GE(end.seconds, 0) << "the ranks did not start";
    EXPECT_LT(end.seconds, 10);
    const std::size_t said = end.output.find("rank " + std::to_string(rank) + " (host ");
    ASSERT_NE(said, std::string::npos) << end.output;
    EXPECT_NE(end.output.find(") has died", said), std::string::npos) << end.output;
    EXPECT_EQ(count(end.output, " died"), 1U) << end.output;
}

const auto kHow = testing::Values("calls", "memory", "messages");

INSTANTIATE_TEST_SUITE_P(Waiting, KilledRank, testing::Combine(kHow, testing::Values(0, 1, 2)), name_of);

class StoppedRank : public testing::TestWithParam<Case> {};

TEST_P(StoppedRank, IsWarnedOfThenEndsTheJob) {
    const auto& [how, rank] = GetParam();
    const JobEnd end = run_job(rank, SIGSTOP, "2500 6000", how);
    EXPECT_EQ(end.status, 1);
    EXPECT_LT(end.seconds, 60);
    const std::string name = "rank " + std::to_string(rank) + " (host ";
    const std::size_t warned = end.output.find("vae_dist: warning: ");
    ASSERT_NE(warned, std::string::npos) << end.output;
    EXPECT_NE(end.output.find(name, warned), std::string::npos) << end.output;
    const std::size_t ended = end.output.find("vae_dist: error: ", warned);
    ASSERT_NE(ended, std::string::npos) << end.output;
    EXPECT_NE(end.output.find(name, ended), std::string::npos) << end.output;
}

INSTANTIATE_TEST_SUITE_P(Waiting, StoppedRank, testing::Combine(kHow, testing::Values(2)), name_of);
INSTANTIATE_TEST_SUITE_P(First, StoppedRank, testing::Values(Case("calls", 0)), name_of);

}  // namespace
