#include <gtest/gtest.h>
#include <sys/wait.h>

#include <chrono>
#include <cstdio>
#include <memory>
#include <string>

namespace {

using Clock = std::chrono::steady_clock;

struct JobEnd {
    int status = -1;
    double seconds = -1;  ///< from the failure to the end of mpirun
    int messages = 0;     ///< how often rank 1 said what happened
};

/// Runs failing_rank on three ranks; without it, the ranks that wait would wait until mpirun's time limit.
JobEnd run_failing_rank(const std::string& how) {
    const std::string command =
        "OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1 "
        "MPIEXEC_TIMEOUT=60 " MPIEXEC " 3 '" FAILING_RANK "' " +
        how + " 2>&1";
    FILE* job = popen(command.c_str(), "r");
    JobEnd end;
    if (job == nullptr) return end;
    Clock::time_point failed;
    char line[512];
    while (std::fgets(line, sizeof line, job) != nullptr) {
        if (std::string(line) == "failing\n") failed = Clock::now();
        if (std::string(line) == "rank 1: made to fail\n") ++end.messages;
    }
    const int status = pclose(job);
    if (WIFEXITED(status)) end.status = WEXITSTATUS(status);
    if (failed != Clock::time_point())
        end.seconds = std::chrono::duration<double>(Clock::now() - failed).count();
    return end;
}

TEST(JobEnd, AbortEndsAllRanksWithinSecondsAndWithItsStatus) {
    const JobEnd end = run_failing_rank("abort");
    EXPECT_EQ(end.status, 3);
    EXPECT_GE(end.seconds, 0) << "rank 1 did not run";
    EXPECT_LT(end.seconds, 10);
}

TEST(JobEnd, AnExceptionThatLeavesTheSessionEndsAllRanksToo) {
    const JobEnd end = run_failing_rank("throw");
    EXPECT_EQ(end.status, 4);
    EXPECT_GE(end.seconds, 0) << "rank 1 did not run";
    EXPECT_LT(end.seconds, 10);
}

TEST(JobEnd, ARankThatFailsInWorkDoneTogetherDoesNotWaitForTheOthersWork) {
    const JobEnd end = run_failing_rank("together");
    EXPECT_EQ(end.status, 3);
    EXPECT_EQ(end.messages, 1);
    EXPECT_GE(end.seconds, 0) << "rank 1 did not run";
    EXPECT_LT(end.seconds, 10);
}

}  // namespace
