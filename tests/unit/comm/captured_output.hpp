#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>

#include "support/temporary_folder.hpp"

namespace vae_dist {

/// What this process writes to stdout and stderr while this lives; it can be read, and waited for, at any
/// time.
class CapturedOutput {
 public:
    CapturedOutput() : old_stdout_(dup(STDOUT_FILENO)), old_stderr_(dup(STDERR_FILENO)) {
        const int file = open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        if (file < 0) throw std::runtime_error("cannot capture output");
        redirect(file, file);
        close(file);
    }
    ~CapturedOutput() {
        redirect(old_stdout_, old_stderr_);
        close(old_stdout_);
        close(old_stderr_);
        // What a failed test has to say was captured too.
        if (testing::Test::HasFailure()) std::fputs(text().c_str(), stderr);
    }
    CapturedOutput(const CapturedOutput&) = delete;
    CapturedOutput& operator=(const CapturedOutput&) = delete;

    std::string text() const {
        std::ostringstream text;
        text << std::ifstream(path_).rdbuf();
        return text.str();
    }

    /// False where it does not appear within a minute.
    bool wait_for(const std::string& words) const {
        for (int i = 0; i < 6000; ++i) {
            if (text().find(words) != std::string::npos) return true;
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        }
        return false;
    }

 private:
    static void redirect(int to_stdout, int to_stderr) {
        std::fflush(nullptr);
        dup2(to_stdout, STDOUT_FILENO);
        dup2(to_stderr, STDERR_FILENO);
    }

    TemporaryFolder folder_;
    std::string path_ = folder_.file("output");
    int old_stdout_;
    int old_stderr_;
};

}  // namespace vae_dist
