#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "vae_dist/backend/arrays.hpp"

namespace vae_dist {

// How gradients are added up: each format has the type of a sum, the ways in and out of it, and how the sums
// of a chunk travel between hosts. All of a format's functions may be called by several threads at once.

/// 64-bit integers, multiples of 2^-40 = 9e-13: a range of 4e6 / addends, and a resolution far below
/// float32's for gradients of ordinary size. Their sums are the same bits in whatever order they are formed.
/// They travel in as few bytes as they fit in.
class ExactFormat {
 public:
    using Sum = std::int64_t;
    static constexpr int kFractionBits = 40;

    /// `addends` is how many slices are added up, over all ranks.
    ExactFormat(ArrayOperations& arrays, std::int64_t addends) : arrays_(arrays), addends_(addends) {}

    /// to (+)= gradients of one slice. False where one is not finite or does not fit.
    bool add_slice(std::span<const float> gradients, bool overwrite, std::span<Sum> to) const;
    void add_sums(std::span<const Sum> sums, bool overwrite, std::span<Sum> to) const;
    void finish(std::span<const Sum> sums, std::span<float> to) const;
    /// to = the sum of slices of to.size() gradients each, all there are; false as add_slice.
    bool sum_slices(std::span<const float* const> slices, std::span<float> to) const;

    static std::size_t most_packed_bytes(std::int64_t count);
    /// Returns the number of bytes used.
    std::size_t pack(std::span<const Sum> sums, std::byte* to) const;
    /// to += the sums that `pack` wrote.
    void add_packed(const std::byte* from, std::span<Sum> to) const;

 private:
    ArrayOperations& arrays_;
    std::int64_t addends_;
};

/// Floats: sums whose last bits depend on how the ranks are placed.
class Float32Format {
 public:
    using Sum = float;

    explicit Float32Format(ArrayOperations& arrays) : arrays_(arrays) {}

    bool add_slice(std::span<const float> gradients, bool overwrite, std::span<Sum> to) const;
    void add_sums(std::span<const Sum> sums, bool overwrite, std::span<Sum> to) const;
    void finish(std::span<const Sum> sums, std::span<float> to) const;
    bool sum_slices(std::span<const float* const> slices, std::span<float> to) const;

    static std::size_t most_packed_bytes(std::int64_t count);
    std::size_t pack(std::span<const Sum> sums, std::byte* to) const;
    void add_packed(const std::byte* from, std::span<Sum> to) const;

 private:
    ArrayOperations& arrays_;
};

/// Floats that are rounded to bfloat16 to travel: half the bytes between hosts, nothing changed within one.
class BFloat16Format : public Float32Format {
 public:
    explicit BFloat16Format(ArrayOperations& arrays) : Float32Format(arrays), arrays_(arrays) {}

    static std::size_t most_packed_bytes(std::int64_t count);
    std::size_t pack(std::span<const Sum> sums, std::byte* to) const;
    void add_packed(const std::byte* from, std::span<Sum> to) const;

 private:
    ArrayOperations& arrays_;
};

}  // namespace vae_dist
