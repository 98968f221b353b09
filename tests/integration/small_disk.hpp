#pragma once

#include <sys/mount.h>

#include <filesystem>

namespace vae_dist {

/// A file system of its own, of limited size; only root may make one.
class SmallDisk {
 public:
    SmallDisk(const std::filesystem::path& folder, const char* options) : folder_(folder) {
        std::filesystem::create_directories(folder);
        mounted_ = mount("tmpfs", folder.c_str(), "tmpfs", 0, options) == 0;
    }
    ~SmallDisk() {
        if (mounted_) umount2(folder_.c_str(), MNT_DETACH);
    }
    SmallDisk(const SmallDisk&) = delete;
    SmallDisk& operator=(const SmallDisk&) = delete;
    bool mounted() const { return mounted_; }

 private:
    std::filesystem::path folder_;
    bool mounted_ = false;
};

}  // namespace vae_dist
