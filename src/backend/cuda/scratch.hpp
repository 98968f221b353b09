#pragma once

#include <cstddef>
#include <cstdint>

#include "backend/cuda/queue.hpp"
#include "vae_dist/backend/backend.hpp"

namespace vae_dist {

/// Device memory, not cleared. Throws ErrorKind::failure where there is no more.
Buffer allocate_device_memory(std::size_t bytes);

/// Device memory for what one operation needs for itself; as operations follow each other, the next may use
/// it. It grows to the largest that was asked for.
class DeviceScratch {
 public:
    explicit DeviceScratch(Queue& queue) : queue_(queue) {}

    template <class T>
    T* get(std::int64_t count) {
        const std::size_t bytes = static_cast<std::size_t>(count) * sizeof(T);
        if (buffer_.bytes() < bytes) {
            queue_.lose_memory();  // which know the memory that goes
            buffer_ = {};
            buffer_ = allocate_device_memory(bytes);
        }
        return buffer_.as<T>();
    }

 private:
    Queue& queue_;
    Buffer buffer_;
};

}  // namespace vae_dist
