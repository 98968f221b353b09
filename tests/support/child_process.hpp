#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace vae_dist {

/// The status, as of waitpid, of a process of its own that runs `body`.
template <class Body>
int status_of_child(const Body& body) {
    const pid_t child = fork();
    if (child == 0) {
        body();
        _exit(0);
    }
    int status = -1;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    return status;
}

}  // namespace vae_dist
