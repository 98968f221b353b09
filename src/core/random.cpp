#include "vae_dist/core/random.hpp"

#include <Random123/philox.h>
#ifdef __AVX512F__
#include <immintrin.h>
#endif

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>

namespace vae_dist {

namespace {

constexpr std::size_t kLanes = 8;  // blocks computed at once
constexpr std::size_t kWords = 4 * kLanes;

// A vector of 32-bit words, each in the lower half of 64 bits; the upper halves do not matter.
// Arithmetic is lane by lane; narrower machines use several registers.
using Lanes [[gnu::vector_size(8 * kLanes)]] = std::uint64_t;

// product = the 64-bit products of the words in `lanes`.
inline void multiply(const Lanes& lanes, std::uint32_t factor, Lanes& product) {
#ifdef __AVX512F__
    // One instruction. The compiler would add one that clears the upper halves, and use the slower product of
    // 64-bit numbers: fill_words takes 0.84 of that time.
    product = reinterpret_cast<Lanes>(
        _mm512_maskz_mul_epu32(0xff, reinterpret_cast<__m512i>(lanes), _mm512_set1_epi64(factor)));
#else
    product = (lanes & 0xffffffff) * factor;
#endif
}

// The keys that the rounds xor to their words.
using RoundKeys = std::array<std::array<std::uint64_t, 2>, 10>;

RoundKeys round_keys(std::array<std::uint32_t, 2> key) {
    RoundKeys keys;
    for (auto& [first, second] : keys) {
        first = key[0];
        second = key[1];
        key[0] += PHILOX_W32_0;
        key[1] += PHILOX_W32_1;
    }
    return keys;
}

// Philox4x32-10 of the kLanes blocks that begin with `counter`, in the order of blocks.
void philox_blocks(std::array<std::uint32_t, 4> counter, const RoundKeys& keys, std::uint32_t* words) {
    constexpr std::uint64_t kLow = 0xffffffff;
    // With this order, unpacking pairs of words of even and odd lanes gives the order of the blocks.
    constexpr Lanes kBlock = {0, 4, 1, 5, 2, 6, 3, 7};
    Lanes c0 = counter[0] + Lanes{};
    Lanes c1 = counter[1] + Lanes{};
    Lanes c2 = counter[2] + Lanes{};
    Lanes c3 = counter[3] + kBlock;
    for (const auto& key : keys) {
        Lanes first;
        Lanes second;
        multiply(c0, PHILOX_M4x32_0, first);
        multiply(c2, PHILOX_M4x32_1, second);
        c0 = (second >> 32) ^ c1 ^ key[0];
        c1 = second;
        c2 = (first >> 32) ^ c3 ^ key[1];
        c3 = first;
    }
    const Lanes front = (c0 & kLow) | (c1 << 32);
    const Lanes back = (c2 & kLow) | (c3 << 32);
    const Lanes pairs[2] = {__builtin_shufflevector(front, back, 0, 8, 2, 10, 4, 12, 6, 14),
                            __builtin_shufflevector(front, back, 1, 9, 3, 11, 5, 13, 7, 15)};
    std::memcpy(words, pairs, sizeof(pairs));
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
    const RoundKeys keys = round_keys(key_);
    const auto fill = [&](std::size_t first, std::uint32_t* to) {
        philox_blocks({visit, static_cast<std::uint32_t>(sample), static_cast<std::uint32_t>(sample >> 32),
                       first_block + static_cast<std::uint32_t>(first / 4)},
                      keys, to);
    };
    std::size_t first = 0;
    for (; first + kWords <= out.size(); first += kWords)
        fill(first, out.data() + first);
    if (first == out.size()) return;
    std::array<std::uint32_t, kWords> last;
    fill(first, last.data());
    std::copy_n(last.begin(), out.size() - first, out.begin() + static_cast<std::ptrdiff_t>(first));
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
