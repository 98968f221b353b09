#pragma once

#include <cstddef>
#include <cstdint>

#include "backend/cuda/launch.hpp"
#include "vae_dist/core/bfloat16.hpp"
#include "vae_dist/core/matrix_view.hpp"

namespace vae_dist {

// What kernels make of memory: rows of elements, of which a thread takes four adjacent ones at a time, in one
// load or store where they lie well.

inline constexpr std::int64_t kGroup = 4;

inline std::int64_t groups_of(std::int64_t columns) {
    return (columns + kGroup - 1) / kGroup;
}

/// Four elements, aligned so that they move at once.
template <class T>
struct alignas(kGroup * sizeof(T)) Packed {
    T v[kGroup];
};

/// Four floats in registers.
struct Four {
    float v[kGroup];
};

__device__ inline float widen(float value) {
    return value;
}
__device__ inline float widen(BFloat16 value) {
    return __builtin_bit_cast(float, static_cast<std::uint32_t>(value.bits) << 16);
}
__device__ inline void narrow(float value, float& to) {
    to = value;
}
/// As to_bfloat16 of the host does.
__device__ inline void narrow(float value, BFloat16& to) {
    const auto bits = __builtin_bit_cast(std::uint32_t, value);
    const std::uint32_t rounded = (bits + 0x7FFFU + ((bits >> 16) & 1U)) >> 16;
    const std::uint32_t quiet = (bits >> 16) | 0x40U;
    to.bits = static_cast<std::uint16_t>(value != value ? quiet : rounded);
}

/// A matrix as a kernel sees it. `packed`: every row, and with it every group, is aligned and whole.
template <class T>
struct Rows {
    T* data = nullptr;
    std::int64_t stride = 0;
    std::int64_t columns = 0;
    bool packed = false;

    Rows() = default;
    Rows(const MatrixView<T>& view)
        : data(view.data), stride(view.stride), columns(view.columns), packed(is_packed(view)) {}
    /// An array as one row.
    Rows(T* array, std::int64_t size) : Rows(MatrixView<T>(array, 1, size)) {}

    __device__ T* row(std::int64_t r) const { return data + r * stride; }
    /// How many columns the group that begins at column c has.
    __device__ int count(std::int64_t c) const {
        return columns - c < kGroup ? static_cast<int>(columns - c) : static_cast<int>(kGroup);
    }

    /// Elements c ... c + 3 of row r; 0 beyond the last.
    __device__ Four load(std::int64_t r, std::int64_t c) const {
        Four four;
        if (packed) {
            const auto all = *reinterpret_cast<const Packed<T>*>(row(r) + c);
            for (int i = 0; i < kGroup; ++i)
                four.v[i] = widen(all.v[i]);
        } else {
            const int n = count(c);
            for (int i = 0; i < kGroup; ++i)
                four.v[i] = i < n ? widen(row(r)[c + i]) : 0.0F;
        }
        return four;
    }

    __device__ void store(std::int64_t r, std::int64_t c, const Four& four) const {
        if (packed) {
            Packed<T> all;
            for (int i = 0; i < kGroup; ++i)
                narrow(four.v[i], all.v[i]);
            *reinterpret_cast<Packed<T>*>(row(r) + c) = all;
        } else {
            // A fixed number of turns, or the four would lie in memory rather than registers.
            const int n = count(c);
            for (int i = 0; i < kGroup; ++i)
                if (i < n) narrow(four.v[i], row(r)[c + i]);
        }
    }

 private:
    static bool is_packed(const MatrixView<T>& view) {
        return view.columns % kGroup == 0 && (view.stride % kGroup == 0 || view.rows <= 1) &&
               reinterpret_cast<std::uintptr_t>(view.data) % alignof(Packed<T>) == 0;
    }
};

using Floats = Rows<float>;
using ConstFloats = Rows<const float>;

/// body(row, first column) for each group of four columns of each of `rows` rows.
template <class Body>
struct EachGroup {
    std::int64_t rows, columns;
    Body body;
    __device__ void operator()(const GridPlace& place) const {
        const std::int64_t column = place.x * kGroup;
        if (column >= columns) return;
        for (std::int64_t row = place.y; row < rows; row += place.y_step)
            body(row, column);
    }
};
template <class Body>
void run_groups(Queue& queue, std::int64_t rows, std::int64_t columns, const Body& body) {
    run_grid(queue, groups_of(columns), rows, EachGroup<Body>{rows, columns, body});
}

}  // namespace vae_dist
