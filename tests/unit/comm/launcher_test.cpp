#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <optional>

#include "vae_dist/comm/mpi_communicator.hpp"
#include "vae_dist/core/error.hpp"

namespace vae_dist {
namespace {

/// Sets what the launcher is recognised by to `variables` alone, and back when the test is over.
class LauncherEnvironment {
 public:
    explicit LauncherEnvironment(const std::map<std::string, std::string>& variables) {
        for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK", "PMI_SIZE", "SLURM_STEP_ID",
                                 "SLURM_STEP_NUM_TASKS"}) {
            const char* value = std::getenv(name);
            before_[name] = value == nullptr ? std::nullopt : std::optional<std::string>(value);
            unsetenv(name);
        }
        for (const auto& [name, value] : variables)
            setenv(name.c_str(), value.c_str(), 1);
    }
    ~LauncherEnvironment() {
        for (const auto& [name, value] : before_) {
            value ? setenv(name.c_str(), value->c_str(), 1) : unsetenv(name.c_str());
        }
    }
    LauncherEnvironment(const LauncherEnvironment&) = delete;
    LauncherEnvironment& operator=(const LauncherEnvironment&) = delete;

 private:
    std::map<std::string, std::optional<std::string>> before_;
};

bool started_by_mpi_given(const std::map<std::string, std::string>& variables) {
    const LauncherEnvironment environment(variables);
    return started_by_mpi();
}

TEST(Launcher, AProcessStartedAloneNeedsNoMpi) {
    EXPECT_FALSE(started_by_mpi_given({}));
}

TEST(Launcher, MpirunAndSrunWithPmixAreRecognised) {
    EXPECT_TRUE(started_by_mpi_given({{"OMPI_COMM_WORLD_SIZE", "2"}}));
    EXPECT_TRUE(
        started_by_mpi_given({{"PMIX_RANK", "0"}, {"SLURM_STEP_ID", "0"}, {"SLURM_STEP_NUM_TASKS", "4"}}));
    EXPECT_TRUE(started_by_mpi_given({{"PMI_RANK", "1"}}));
}

TEST(Launcher, SeveralTasksOfSrunWithoutMpiAreRefusedWithAdvice) {
    try {
        started_by_mpi_given({{"SLURM_STEP_ID", "3"}, {"SLURM_STEP_NUM_TASKS", "4"}});
        FAIL() << "nothing was thrown";
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::input);
        const std::string message = error.what();
        EXPECT_NE(message.find("4 tasks"), std::string::npos) << message;
        EXPECT_NE(message.find("srun --mpi=pmix"), std::string::npos) << message;
    }
}

TEST(Launcher, OneTaskOfSrunIsAProcessAlone) {
    EXPECT_FALSE(started_by_mpi_given({{"SLURM_STEP_ID", "0"}, {"SLURM_STEP_NUM_TASKS", "1"}}));
}

TEST(Launcher, TheBatchScriptAndAnInteractiveShellAreNoTasksOfSrun) {
    for (const char* step : {"batch", "interactive", "4294967291", "4294967290", ""}) {
        EXPECT_FALSE(started_by_mpi_given({{"SLURM_STEP_ID", step}, {"SLURM_STEP_NUM_TASKS", "4"}})) << step;
    }
    EXPECT_FALSE(started_by_mpi_given({{"SLURM_STEP_NUM_TASKS", "4"}}));
}

TEST(Launcher, TheMpiLibraryNamesItselfOnOneLine) {
    EXPECT_NE(mpi_library_version().find("MPI"), std::string::npos);
    EXPECT_EQ(mpi_library_version().find('\n'), std::string::npos);
}

}  // namespace
}  // namespace vae_dist
