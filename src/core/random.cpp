#include "vae_dist/core/random.hpp"

#include <Random123/philox.h>

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace vae_dist {

namespace {

constexpr std::size_t kLanes = 8;

// A vector of 32-bit words, each in 64 bits: the compiler would not find the vector instructions for their
// products in a plain loop. Arithmetic is lane by lane; narrower machines use several registers.
using Lanes [[gnu::vector_size(8 * kLanes)]] = std::uint64_t;

// Philox4x32-10 of the kLanes blocks that begin with `counter`, in the order of blocks.
std::array<std::uint32_t, 4 * kLanes> philox_blocks(std::array<std::uint32_t, 4> counter,
                                                    std::array<std::uint32_t, 2> key) {
    constexpr std::uint64_t kLow = 0xffffffff;
    constexpr Lanes kIndex = {0, 1, 2, 3, 4, 5, 6, 7};
    Lanes c0 = counter[0] + Lanes{};
    Lanes c1 = counter[1] + Lanes{};
    Lanes c2 = counter[2] + Lanes{};
    Lanes c3 = (counter[3] + kIndex) & kLow;
    for (int round = 0; round < 10; ++round) {
        const Lanes first = c0 * PHILOX_M4x32_0;
        const Lanes second = c2 * PHILOX_M4x32_1;
        c0 = (second >> 32) ^ c1 ^ key[0];
        c1 = second & kLow;
        c2 = (first >> 32) ^ c3 ^ key[1];
        c3 = first & kLow;
        key[0] += PHILOX_W32_0;
        key[1] += PHILOX_W32_1;
    }
    std::array<std::uint32_t, 4 * kLanes> words;
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
        words[4 * lane] = static_cast<std::uint32_t>(c0[lane]);
        words[4 * lane + 1] = static_cast<std::uint32_t>(c1[lane]);
        words[4 * lane + 2] = static_cast<std::uint32_t>(c2[lane]);
        words[4 * lane + 3] = static_cast<std::uint32_t>(c3[lane]);
    }
    return words;
}

}  // namespace

std::array<std::uint32_t, 4> CounterRandom::words(std::uint32_t visit, std::uint64_t sample,
                                                  std::uint32_t block) const {
    const r123::Philox4x32::ctr_type counter = {
        {visit, static_cast<std::uint32_t>(sample), static_cast<std::uint32_t>(sample >> 32), block}};
    const r123::Philox4x32::key_type key = {{key_[0], key_[1]}};
    const r123::Philox4x32::ctr_type out = r123::Philox4x32()(counter, key);
    return {out[0], out[1], out[2], out[3]};
}

void CounterRandom::fill_words(std::uint32_t visit, std::uint64_t sample, std::uint32_t first_block,
                               std::span<std::uint32_t> out) const {
    for (std::size_t first = 0; first < out.size(); first += 4 * kLanes) {
        const std::uint32_t block = first_block + static_cast<std::uint32_t>(first / 4);
        const auto many = philox_blocks(
            {visit, static_cast<std::uint32_t>(sample), static_cast<std::uint32_t>(sample >> 32), block},
            key_);
        std::copy_n(many.begin(), std::min(many.size(), out.size() - first),
                    out.begin() + static_cast<std::ptrdiff_t>(first));
    }
}

float CounterRandom::uniform(std::uint32_t visit, std::uint64_t sample, std::uint32_t index) const {
    return unit_float(words(visit, sample, index / 4)[index % 4]);
}

void CounterRandom::normals(std::uint32_t visit, std::uint64_t sample, std::span<float> out) const {
    for (std::size_t first = 0; first < out.size(); first += 4) {
        const auto word = words(visit, sample, static_cast<std::uint32_t>(first / 4));
        for (std::size_t pair = 0; pair < 4 && first + pair < out.size(); pair += 2) {
            const double radius = std::sqrt(-2.0 * std::log(static_cast<double>(unit_float(word[pair]))));
            const double angle = 2.0 * std::numbers::pi * static_cast<double>(unit_float(word[pair + 1]));
            out[first + pair] = static_cast<float>(radius * std::cos(angle));
            if (first + pair + 1 < out.size()) {
                out[first + pair + 1] = static_cast<float>(radius * std::sin(angle));
            }
        }
    }
}

std::uint64_t CounterRandom::below(std::uint64_t bound, std::uint32_t visit, std::uint64_t sample,
                                   std::uint32_t index) const {
    const auto word = words(visit, sample, index);
    const std::uint64_t bits = (static_cast<std::uint64_t>(word[0]) << 32) | word[1];
    __extension__ using Wide = unsigned __int128;
    return static_cast<std::uint64_t>((static_cast<Wide>(bits) * bound) >> 64);
}

}  // namespace vae_dist
