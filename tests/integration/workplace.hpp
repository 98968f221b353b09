#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

#include "integration/process.hpp"
#include "support/temporary_folder.hpp"

namespace vae_dist {

/// `vae_dist arguments...` on so many ranks through mpirun; 0 ranks: without mpirun. The environment variable
/// VAE_DIST_PROGRAM names another build of the program than the tests' own.
std::vector<std::string> vae_dist_command(int ranks, const std::vector<std::string>& arguments);

/// The beginning of a command for mpirun, to which programs are still to be given.
std::vector<std::string> mpirun_command();

/// The arguments CONFIG --set a --set b ...
std::vector<std::string> with_settings(const std::string& config, const std::vector<std::string>& settings);

/// The environment in which the disk below `folder` is slow: each flush, and each write of more than a page,
/// takes so much longer.
std::vector<std::string> slow_disk(const std::filesystem::path& folder, std::chrono::milliseconds delay);

/// A test with a folder of its own, in which commands run.
class Workplace : public testing::Test {
 protected:
    Outcome run(int ranks, const std::vector<std::string>& arguments, ProcessOptions options = {}) const;
    std::unique_ptr<Process> start(int ranks, const std::vector<std::string>& arguments,
                                   ProcessOptions options = {}) const;
    /// The same, and expects that it ends with status 0.
    Outcome run_well(int ranks, const std::vector<std::string>& arguments) const;

    std::filesystem::path path(const std::string& name) const { return folder_.path() / name; }
    void write_text(const std::string& name, const std::string& text) const;

    TemporaryFolder folder_;
    std::chrono::seconds limit_{100};
};

/// Waits until `condition` holds; false where the process ends, or 100 seconds pass, before.
bool comes_true_while_running(Process& process, const std::function<bool()>& condition);

/// Expects what the documentation promises for every error: this exit status, one message that has all of
/// `parts`, said once, and all ranks gone within ten seconds.
void expect_refused(const Outcome& outcome, int status, std::initializer_list<std::string> parts);

/// Expects `text` to have every one of `parts`.
void expect_parts(const std::string& text, std::initializer_list<std::string> parts);

}  // namespace vae_dist
