#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "vae_dist/backend/backend.hpp"

namespace vae_dist {

/// Device memory, not cleared. Throws ErrorKind::failure where there is no more.
Buffer allocate_device_memory(std::size_t bytes);

/// Device memory for what one operation needs for itself; as operations follow each other, the next may use
/// it. It grows to the largest that was asked for. What it has outgrown is kept: recorded graphs know it.
class DeviceScratch {
 public:
    template <class T>
    T* get(std::int64_t count) {
        const std::size_t bytes = static_cast<std::size_t>(count) * sizeof(T);
        if (buffers_.empty() || buffers_.back().bytes() < bytes)
            buffers_.push_back(allocate_device_memory(bytes));
        return buffers_.back().as<T>();
    }

 private:
    std::vector<Buffer> buffers_;
};

}  // namespace vae_dist
