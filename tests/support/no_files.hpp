#pragma once

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>

namespace vae_dist {

/// This process may write no file, nor make one longer, while this lives: a call that tries fails.
class NoFiles {
 public:
    NoFiles() : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
        EXPECT_EQ(getrlimit(RLIMIT_FSIZE, &before_), 0);
        const rlimit limit = {0, before_.rlim_max};
        EXPECT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
    }
    ~NoFiles() {
        setrlimit(RLIMIT_FSIZE, &before_);
        std::signal(SIGXFSZ, handler_);
    }
    NoFiles(const NoFiles&) = delete;
    NoFiles& operator=(const NoFiles&) = delete;

 private:
    void (*handler_)(int);
    rlimit before_{};
};

}  // namespace vae_dist
