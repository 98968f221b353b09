#pragma once

#include <cstddef>

#include "vae_dist/backend/backend.hpp"

namespace vae_dist {

/// Aligned memory of the processor, large ones in large pages; zeroed. Throws ErrorKind::failure where there
/// is no more.
Buffer allocate_memory(std::size_t bytes);

/// Memory for what one operation needs for itself. It grows to the largest that was asked for and is kept.
class Scratch {
 public:
    /// Holds what the last operation left.
    template <class T>
    T* get(std::int64_t count) {
        const std::size_t bytes = static_cast<std::size_t>(count) * sizeof(T);
        if (buffer_.bytes() < bytes) buffer_ = allocate_memory(bytes);
        return buffer_.as<T>();
    }
    FloatMatrix matrix(std::int64_t rows, std::int64_t columns) {
        return {get<float>(rows * columns), rows, columns};
    }

 private:
    Buffer buffer_;
};

}  // namespace vae_dist
