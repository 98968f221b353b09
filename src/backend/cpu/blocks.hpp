#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <unsupported/Eigen/SpecialFunctions>

#include "vae_dist/core/operand.hpp"
#include "vae_dist/pointwise/math.hpp"

namespace vae_dist {

// Element-wise mathematics in blocks of 16 floats. A vectorised exp and a scalar exp differ in their last
// bits; so every element, wherever it stands in an array, goes through the vector form, the last ones of an
// array in a block filled up with zeros. Sums have 16 lanes, whatever the width of the processor's registers.
//
// Eigen's maximum and minimum give their first argument where it is not a number: write x.max(0), so that it
// is seen.

constexpr std::int64_t kBlock = 16;
using Block = Eigen::Array<float, kBlock, 1>;
using DoubleBlock = Eigen::Array<double, kBlock, 1>;

/// The number of elements in a full block, known when compiling.
using FullBlock = std::integral_constant<std::int64_t, kBlock>;

/// Calls body(first, count) for each block of `size` elements, with a FullBlock or, last, an std::int64_t
/// below 16.
///
/// Inlined wherever it is called, or sums that `body` keeps would go through memory at every block.
template <class Body>
[[gnu::always_inline]] inline void for_blocks(std::int64_t size, Body&& body) {
    std::int64_t first = 0;
    for (; first + kBlock <= size; first += kBlock)
        body(first, FullBlock());
    if (first < size) body(first, size - first);
}

template <class Count>
Block load(const float* from, Count count) {
    if constexpr (std::is_same_v<Count, FullBlock>) {
        return Eigen::Map<const Block>(from);
    } else {
        Block block = Block::Zero();
        std::copy_n(from, count, block.data());
        return block;
    }
}

template <class Count>
void store(const Block& block, float* to, Count count) {
    if constexpr (std::is_same_v<Count, FullBlock>) {
        Eigen::Map<Block>{to} = block;
    } else {
        std::copy_n(block.data(), count, to);
    }
}

// The bits of a block's elements. The compiler finds no vector instructions for a loop over single bfloat16
// numbers; narrower machines use several registers.
using BlockBits [[gnu::vector_size(4 * kBlock)]] = std::uint32_t;
using BlockHalves [[gnu::vector_size(2 * kBlock)]] = std::uint16_t;

template <class Count>
Block load(const BFloat16* from, Count count) {
    BlockHalves halves{};
    std::memcpy(&halves, from, static_cast<std::size_t>(count) * sizeof(BFloat16));
    const BlockBits bits = __builtin_convertvector(halves, BlockBits) << 16;
    Block block;
    std::memcpy(block.data(), &bits, sizeof(bits));
    return block;
}

// As to_bfloat16 does with one number.
template <class Count>
void store(const Block& block, BFloat16* to, Count count) {
    BlockBits bits;
    std::memcpy(&bits, block.data(), sizeof(bits));
    const BlockBits rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16;
    const BlockBits quiet = (bits >> 16) | 0x40;
    const auto is_nan = (bits & 0x7FFFFFFF) > 0x7F800000;
    const auto halves = __builtin_convertvector(is_nan ? quiet : rounded, BlockHalves);
    std::memcpy(static_cast<void*>(to), &halves, static_cast<std::size_t>(count) * sizeof(BFloat16));
}

/// `block` with zeros for the elements that only fill it up.
template <class Count>
Block only(const Block& block, Count count) {
    if constexpr (std::is_same_v<Count, FullBlock>) {
        return block;
    } else {
        Block cut = Block::Zero();
        std::copy_n(block.data(), count, cut.data());
        return cut;
    }
}

// The compiler's own vectors know a choice between two, lane by lane; as wide as the processor's registers,
// or it would take the block apart in memory.
constexpr std::int64_t kLanesOfRegister = Eigen::internal::packet_traits<float>::size;
using RegisterFloats [[gnu::vector_size(4 * kLanesOfRegister)]] = float;
static_assert(kBlock % kLanesOfRegister == 0);

/// a where condition > 0, else b, lane by lane.
[[gnu::always_inline]] inline Block where_positive(const Block& condition, const Block& a, const Block& b) {
    Block chosen;
    for (std::int64_t i = 0; i < kBlock; i += kLanesOfRegister) {
        RegisterFloats c, x, y;
        std::memcpy(&c, condition.data() + i, sizeof(c));
        std::memcpy(&x, a.data() + i, sizeof(x));
        std::memcpy(&y, b.data() + i, sizeof(y));
        x = c > 0 ? x : y;
        std::memcpy(chosen.data() + i, &x, sizeof(x));
    }
    return chosen;
}

template <>
struct Math<Block> {
    static Block exp(const Block& x) { return x.exp(); }
    static Block expm1(const Block& x) { return x.expm1(); }
    static Block log(const Block& x) { return x.log(); }
    static Block log1p(const Block& x) { return x.log1p(); }
    static Block sqrt(const Block& x) { return x.sqrt(); }
    static Block tanh(const Block& x) { return x.tanh(); }
    static Block erf(const Block& x) { return x.erf(); }
    static Block square(const Block& x) { return x.square(); }
    static Block abs(const Block& x) { return x.abs(); }
    static Block positive_part(const Block& x) { return x.max(0.0F); }
    static Block negative_part(const Block& x) { return x.min(0.0F); }
    static Block where_positive(const Block& condition, const Block& a, const Block& b) {
        return vae_dist::where_positive(condition, a, b);
    }
    static Block constant(double value) { return Block::Constant(static_cast<float>(value)); }
};

/// The sum of the lanes, by halves, whatever the width of the processor's registers.
inline double lane_sum(DoubleBlock lanes) {
    for (std::int64_t half = kBlock / 2; half > 0; half /= 2) {
        for (std::int64_t i = 0; i < half; ++i)
            lanes[i] += lanes[i + half];
    }
    return lanes[0];
}
inline double lane_sum(const Block& lanes) {
    return lane_sum(DoubleBlock(lanes.cast<double>()));
}

// For map_array. Not functions, calls of which would send every block through memory.
constexpr auto same = [](const Block& block) -> Block { return block; };
constexpr auto plus = [](const Block& a, const Block& b) -> Block { return a + b; };

/// to = f(from...), element by element; `to` may be one of `from`.
template <class To, class F, class... From>
void map_array(std::int64_t size, To* to, F f, const From*... from) {
    for_blocks(size, [&](std::int64_t first, auto count) {
        store(f(load(from + first, count)...), to + first, count);
    });
}

}  // namespace vae_dist
