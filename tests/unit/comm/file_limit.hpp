#pragma once

#include <gtest/gtest.h>
#include <sys/resource.h>

namespace vae_dist {

/// This process may open no file beyond the first `count` while this lives, nor wait for more of them at
/// once.
class FileLimit {
 public:
    explicit FileLimit(rlim_t count) {
        EXPECT_EQ(getrlimit(RLIMIT_NOFILE, &before_), 0);
        const rlimit limit = {count, before_.rlim_max};
        EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
    }
    ~FileLimit() { lift(); }
    FileLimit(const FileLimit&) = delete;
    FileLimit& operator=(const FileLimit&) = delete;

    void lift() { setrlimit(RLIMIT_NOFILE, &before_); }

 private:
    rlimit before_{};
};

}  // namespace vae_dist
