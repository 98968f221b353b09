// When a Slurm job ends, asked of a stand-in for squeue.

#include "vae_dist/comm/job_end.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <thread>

#include "support/temporary_folder.hpp"

namespace vae_dist {
namespace {

using namespace std::chrono_literals;
using SystemTime = std::chrono::system_clock::time_point;

class JobEnd : public testing::Test {
 protected:
    void SetUp() override {
        for (const char* const name :
             {"SLURM_JOB_ID", "SLURM_JOB_END_TIME", "SLURM_TIME_FORMAT", "SQUEUE_FORMAT", "TZ"}) {
            set(name, std::nullopt);
        }
        // The stand-ins use the shell alone: no squeue of this machine is to be found.
        set("PATH", folder_.path().string());
        set("SLURM_JOB_ID", "42");
    }

    void TearDown() override {
        for (const auto& [name, value] : before_)
            put(name, value);
    }

    void set(const std::string& name, const std::optional<std::string>& value) {
        const char* const old = std::getenv(name.c_str());
        before_.try_emplace(name, old == nullptr ? std::nullopt : std::optional<std::string>(old));
        put(name, value);
    }

    void squeue_does(const std::string& script) const {
        const std::string path = folder_.file("squeue");
        std::ofstream(path) << "#!/bin/sh\n" << script << "\n";
        std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    }

    // The answer; the warnings, if any, are in warnings_.
    std::optional<SystemTime> ask(std::chrono::milliseconds patience = 60s) {
        testing::internal::CaptureStderr();
        const auto end = job_end_time(Log(0), patience);
        warnings_ = testing::internal::GetCapturedStderr();
        return end;
    }

    // That there is no answer, and a warning with `reason` in it.
    void expect_warning(const std::string& reason, std::chrono::milliseconds patience = 60s) {
        EXPECT_EQ(ask(patience), std::nullopt);
        EXPECT_NE(warnings_.find("cannot learn from squeue when Slurm job"), std::string::npos) << warnings_;
        EXPECT_NE(warnings_.find("(" + reason + ")"), std::string::npos) << warnings_;
    }

    static std::string seconds_text(SystemTime time) {
        return std::to_string(std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count());
    }

    const SystemTime soon_ = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()) + 1h;
    TemporaryFolder folder_;
    std::string warnings_;

 private:
    static void put(const std::string& name, const std::optional<std::string>& value) {
        if (value) {
            setenv(name.c_str(), value->c_str(), 1);
        } else {
            unsetenv(name.c_str());
        }
    }

    std::map<std::string, std::optional<std::string>> before_;
};

TEST_F(JobEnd, OutsideAJobNobodyIsAsked) {
    set("SLURM_JOB_ID", std::nullopt);
    set("SLURM_JOB_END_TIME", seconds_text(soon_));
    squeue_does("echo asked > '" + folder_.file("asked") + "'");
    EXPECT_EQ(ask(), std::nullopt);
    EXPECT_FALSE(std::filesystem::exists(folder_.file("asked")));
    EXPECT_EQ(warnings_, "");
}

TEST_F(JobEnd, TheEnvironmentTellsItWithoutSqueue) {
    set("SLURM_JOB_END_TIME", seconds_text(soon_));
    squeue_does("echo 42 5");
    EXPECT_EQ(ask(), soon_);
}

TEST_F(JobEnd, SqueueIsAskedWhereTheEnvironmentIsSilentWrongOrPast) {
    squeue_does("echo 42 " + seconds_text(soon_));
    EXPECT_EQ(ask(), soon_);
    for (const std::string told :
         {"", "soon", "-5", "0", "1000000000", "4294967294", "99999999999999999999"}) {
        set("SLURM_JOB_END_TIME", told);
        EXPECT_EQ(ask(), soon_) << told;
    }
}

TEST_F(JobEnd, SqueueIsAskedForThisJobInSecondsWhateverTheUserPrefers) {
    set("SLURM_TIME_FORMAT", "relative");
    set("SQUEUE_FORMAT", "%all");
    squeue_does(
        "[ \"$*\" = '--noheader --jobs=42 --format=%A %e' ] && [ -z \"$SQUEUE_FORMAT\" ] &&\n"
        "[ \"$SLURM_TIME_FORMAT\" = %s ] && echo 42 " +
        seconds_text(soon_));
    EXPECT_EQ(ask(), soon_);
}

TEST_F(JobEnd, OfAnArrayTheLineOfThisTaskCounts) {
    squeue_does("echo 41 5; echo 421 6; echo 42 " + seconds_text(soon_) + "; echo 43 7");
    EXPECT_EQ(ask(), soon_);
}

TEST_F(JobEnd, AJobWithoutALimitHasNoEndAndThatIsNoProblem) {
    for (const std::string word : {"N/A", "NONE", "UNLIMITED", "Unknown"}) {
        squeue_does("echo 42 " + word);
        EXPECT_EQ(ask(), std::nullopt) << word;
        EXPECT_EQ(warnings_, "") << word;
    }
}

TEST_F(JobEnd, WhatCannotBeLearntIsSaid) {
    squeue_does("echo 'slurm_load_jobs error: Invalid job id specified' >&2; exit 1");
    expect_warning("slurm_load_jobs error: Invalid job id specified");
    squeue_does("exit 1");
    expect_warning("no answer");
    squeue_does("echo 42 2026-11-23T20:05:07");
    expect_warning("42 2026-11-23T20:05:07");
    squeue_does("echo 41 5");
    expect_warning("41 5");
    squeue_does("while :; do echo nothing of use; done");
    expect_warning("nothing of use");
}

TEST_F(JobEnd, WithoutSqueueThatIsSaid) {
    expect_warning("No such file or directory");
}

TEST_F(JobEnd, AJobThatIsNoNumberIsNotPassedOn) {
    set("SLURM_JOB_ID", "42 --user=x");
    squeue_does("echo 42 " + seconds_text(soon_));
    expect_warning("that is not a number");
}

// Whether the process has ended, or does within a minute.
bool ends(pid_t process) {
    for (int i = 0; i < 6000; ++i) {
        std::ifstream stat("/proc/" + std::to_string(process) + "/stat");
        std::string number, name, state;
        stat >> number >> name >> state;
        if (!stat || state == "Z") return true;
        std::this_thread::sleep_for(10ms);
    }
    return false;
}

TEST_F(JobEnd, ASqueueThatHangsIsEndedWithItsChildren) {
    const std::string never = folder_.file("never");
    ASSERT_EQ(mkfifo(never.c_str(), 0600), 0);
    squeue_does("echo $$ >> '" + folder_.file("processes") + "'\n(read -r _ < '" + never +
                "') &\necho $! >> '" + folder_.file("processes") + "'\nwait");
    expect_warning("no answer", 1s);

    EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1) << "a zombie is left";
    EXPECT_EQ(errno, ECHILD);
    std::ifstream processes(folder_.file("processes"));
    for (pid_t process = 0; processes >> process;)
        EXPECT_TRUE(ends(process)) << process;
}

}  // namespace
}  // namespace vae_dist
