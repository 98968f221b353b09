#pragma once

#include <cstddef>
#include <cstdint>

#include "vae_dist/config/config.hpp"
#include "vae_dist/core/operand.hpp"

namespace vae_dist {

/// Hands out matrices from one piece of memory, one after the other, each on a cache line. Without memory it
/// counts the bytes that they take.
class Arena {
 public:
    Arena() = default;
    explicit Arena(std::byte* memory) : memory_(memory) {}

    std::size_t bytes() const { return bytes_; }

    FloatMatrix floats(std::int64_t rows, std::int64_t columns) {
        return {reinterpret_cast<float*>(take(rows * columns, sizeof(float))), rows, columns};
    }
    Operand operand(Precision precision, std::int64_t rows, std::int64_t columns) {
        if (precision == Precision::float32) return floats(rows, columns);
        return BFloat16Matrix(reinterpret_cast<BFloat16*>(take(rows * columns, sizeof(BFloat16))), rows,
                              columns);
    }

 private:
    std::byte* take(std::int64_t elements, std::size_t element_bytes) {
        constexpr std::size_t kCacheLine = 64;
        std::byte* const taken = memory_ == nullptr ? nullptr : memory_ + bytes_;
        const std::size_t bytes = static_cast<std::size_t>(elements) * element_bytes;
        bytes_ += (bytes + kCacheLine - 1) / kCacheLine * kCacheLine;
        return taken;
    }

    std::byte* memory_ = nullptr;
    std::size_t bytes_ = 0;
};

}  // namespace vae_dist
