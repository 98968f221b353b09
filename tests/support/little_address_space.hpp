#pragma once

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>

namespace vae_dist {

/// This process may map only `bytes` more than it has while this lives.
class LittleAddressSpace {
 public:
    explicit LittleAddressSpace(rlim_t bytes) {
        rlim_t pages = 0;
        std::ifstream("/proc/self/statm") >> pages;
        const rlim_t mapped = pages * static_cast<rlim_t>(sysconf(_SC_PAGESIZE));
        // A sanitizer has mapped nearly all there is.
        works_ = mapped < rlim_t{1} << 40;
        EXPECT_EQ(getrlimit(RLIMIT_AS, &before_), 0);
        const rlimit limit = {mapped + bytes, before_.rlim_max};
        if (works_) works_ = setrlimit(RLIMIT_AS, &limit) == 0;
    }
    ~LittleAddressSpace() { setrlimit(RLIMIT_AS, &before_); }
    LittleAddressSpace(const LittleAddressSpace&) = delete;
    LittleAddressSpace& operator=(const LittleAddressSpace&) = delete;

    /// False where no such limit can be set.
    bool works() const { return works_; }

 private:
    bool works_ = false;
    rlimit before_{};
};

}  // namespace vae_dist
