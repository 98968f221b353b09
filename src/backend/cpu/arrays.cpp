#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <cstring>
#include <limits>

#include "backend/cpu/blocks.hpp"
#include "backend/cpu/cpu_backend.hpp"
#include "vae_dist/core/error.hpp"

namespace vae_dist {

namespace {

// The sum of f(block) over all blocks of a piece, in one lane of doubles for each element of a block.
template <class F>
double sum_piece(std::span<const float> values, F f) {
    DoubleBlock total = DoubleBlock::Zero();
    for_blocks(std::ssize(values), [&](std::int64_t first, auto count) {
        total += f(load(values.data() + first, count).template cast<double>());
    });
    return lane_sum(total);
}

// The sum of the pieces' sums, one after the other: the same pieces on any number of threads.
template <class F>
double sum_blocks(const Threads& threads, std::span<const float> values, F f) {
    constexpr std::size_t kPiece = 32768;
    constexpr std::size_t kAtATime = 64;
    double total = 0;
    while (!values.empty()) {
        const auto now = values.first(std::min(values.size(), kAtATime * kPiece));
        std::array<double, kAtATime> sums{};
        threads.each(static_cast<std::int64_t>((now.size() + kPiece - 1) / kPiece), [&](std::int64_t i) {
            const std::size_t first = static_cast<std::size_t>(i) * kPiece;
            sums[static_cast<std::size_t>(i)] =
                sum_piece(now.subspan(first, std::min(kPiece, now.size() - first)), f);
        });
        for (const double sum : sums)
            total += sum;
        values = values.subspan(now.size());
    }
    return total;
}

// The smallest float that is not below `value`: for every float x, x < limit_above(value) exactly if x <
// value.
float limit_above(double value) {
    const auto limit = static_cast<float>(value);
    return limit < value ? std::nextafter(limit, std::numeric_limits<float>::infinity()) : limit;
}

// to (+)= the rounded multiples of 1 / factor; false where one is not below `limit`, as what is not finite,
// for which 0 is added: to convert a number that does not fit is undefined. As unsigned numbers, whose sums
// wrap around: after a bad value the sums are not used, and may be anything.
template <bool kOverwrite>
[[gnu::always_inline]] inline bool add_rounded(std::span<const float> values, float factor, float limit,
                                               std::int64_t* to) {
    int bad = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
        const float scaled = values[i] * factor;
        const bool fits = std::abs(scaled) < limit;
        bad |= fits ? 0 : 1;
        const auto rounded =
            static_cast<std::uint64_t>(static_cast<std::int64_t>(std::rint(fits ? scaled : 0.0F)));
        to[i] = static_cast<std::int64_t>(kOverwrite ? rounded : static_cast<std::uint64_t>(to[i]) + rounded);
    }
    return bad == 0;
}

// Elements that are summed at a time, through memory of their own: `to` may be one of the arrays.
constexpr std::int64_t kSumAtATime = 64;

// What sum_rounded gives for one array or two: rounded multiples are floats, and a float's sum of two floats
// is their sum rounded once. No integers, for which many processors have no vector conversions.
template <std::size_t kArrays>
bool sum_few(std::span<const float* const> arrays, float factor, float limit, std::int64_t first,
             std::int64_t last, float* to) {
    static_assert(kArrays == 1 || kArrays == 2);
    const float unit = 1 / factor;  // a power of two: exact
    Block bad = Block::Zero();
    const auto multiple = [&](const float* values, auto count) {
        const Block scaled = load(values, count) * factor;
        const Block room = limit - scaled.abs();
        bad += where_positive(room, Block::Zero(), Block::Ones());
        Block rounded = where_positive(room, scaled, Block::Zero());
        for (float& number : rounded)
            number = std::rint(number);
        return rounded;
    };
    const auto sum = [&](std::int64_t at, auto count) -> Block {
        if constexpr (kArrays == 1)
            return multiple(arrays[0] + at, count);
        else
            return multiple(arrays[0] + at, count) + multiple(arrays[1] + at, count);
    };
    for_blocks(last - first, [&](std::int64_t at, auto count) {
        // Not -0, which integers do not have.
        store(sum(first + at, count) * unit + 0.0F, to + first + at, count);
    });
    return (bad == 0.0F).all();
}

// Vectors of half a register's floats, which are a register's doubles.
constexpr std::int64_t kHalfRegister = kLanesOfRegister / 2;
using HalfFloats [[gnu::vector_size(4 * kHalfRegister)]] = float;
using HalfMask [[gnu::vector_size(4 * kHalfRegister)]] = std::int32_t;
using RegisterDoubles [[gnu::vector_size(8 * kHalfRegister)]] = double;

// sum_rounded of kSumAtATime elements in doubles, to which every processor has vector conversions. False, and
// `to` as it was, where a double may not hold a sum, or an element is not below `limit`.
bool sum_as_doubles(std::span<const float* const> arrays, float factor, float limit, std::int64_t first,
                    float* to) {
    constexpr double kRound = 0x1.8p52;  // a double below 2^51 plus this is a whole number
    const float most = std::min(limit, 0x1p51F / static_cast<float>(arrays.size()));
    const float unit = 1 / factor;  // a power of two: exact
    std::array<float, kSumAtATime> sums{};
    HalfMask fits = ~HalfMask{};
    for (std::int64_t at = 0; at < kSumAtATime; at += kBlock) {
        std::array<RegisterDoubles, kBlock / kHalfRegister> block{};  // stays in registers
        for (const float* array : arrays) {
            const float* from = array + first + at;
            for (RegisterDoubles& sum : block) {
                HalfFloats scaled;
                std::memcpy(&scaled, from, sizeof(scaled));
                from += kHalfRegister;
                scaled *= factor;
                fits &= (scaled < most) & (scaled > -most);
                sum += (__builtin_convertvector(scaled, RegisterDoubles) + kRound) - kRound;
            }
        }
        for (std::size_t i = 0; i < block.size(); ++i) {
            const HalfFloats rounded = __builtin_convertvector(block[i], HalfFloats) * unit;
            std::memcpy(&sums[static_cast<std::size_t>(at) + i * kHalfRegister], &rounded, sizeof(rounded));
        }
    }
    for (std::int64_t lane = 0; lane < kHalfRegister; ++lane) {
        if (fits[lane] == 0) return false;
    }
    std::copy(sums.begin(), sums.end(), to + first);
    return true;
}

// A block of elements at a time, whose sums stay in registers.
bool sum_rounded(std::span<const float* const> arrays, float factor, float limit, std::int64_t first,
                 std::int64_t last, float* to) {
    const float unit = 1 / factor;  // a power of two: exact
    bool fits = true;
    for (std::int64_t at = first; at < last; at += kSumAtATime) {
        const auto size = static_cast<std::size_t>(std::min(kSumAtATime, last - at));
        if (size == kSumAtATime && sum_as_doubles(arrays, factor, limit, at, to)) continue;
        std::array<std::int64_t, kSumAtATime> sums;
        for (std::size_t a = 0; a < arrays.size(); ++a) {
            const std::span<const float> values(arrays[a] + at, size);
            const bool fit = a == 0 ? add_rounded<true>(values, factor, limit, sums.data())
                                    : add_rounded<false>(values, factor, limit, sums.data());
            fits = fits && fit;
        }
        for (std::size_t i = 0; i < size; ++i)
            to[static_cast<std::size_t>(at) + i] = static_cast<float>(sums[i]) * unit;
    }
    return fits;
}

}  // namespace

void CpuBackend::sum(std::span<const float> values, double divisor, double* to) {
    *to = sum_blocks(threads_, values, [](const DoubleBlock& v) { return v; }) / divisor;
}

double CpuBackend::sum_of_squares(std::span<const float> values) {
    return sum_blocks(threads_, values, [](const DoubleBlock& v) -> DoubleBlock { return v.square(); });
}

void CpuBackend::scale(std::span<float> values, float factor) {
    threads_.split(std::ssize(values), kGrain, [&](std::int64_t first, std::int64_t last) {
        for (std::int64_t i = first; i < last; ++i)
            values[static_cast<std::size_t>(i)] *= factor;
    });
}

void CpuBackend::add(std::span<const float> values, std::span<float> to) {
    require(values.size() == to.size(), "arrays to add have one length");
    threads_.split(std::ssize(to), kGrain, [&](std::int64_t first, std::int64_t last) {
        for (auto i = static_cast<std::size_t>(first); i < static_cast<std::size_t>(last); ++i)
            to[i] += values[i];
    });
}

bool CpuBackend::add_exact(std::span<const float> values, int fraction_bits, std::int64_t addends,
                           bool overwrite, std::span<std::int64_t> to) {
    require(values.size() == to.size(), "arrays to add have one length");
    require(addends > 0 && fraction_bits >= 0 && fraction_bits < 127,
            "the scale of an exact sum is in range");
    const float factor = std::ldexp(1.0F, fraction_bits);
    const float limit = limit_above(0x1p62 / static_cast<double>(addends));
    std::atomic<bool> fits = true;
    threads_.split(std::ssize(to), kGrain, [&](std::int64_t first, std::int64_t last) {
        const auto begin = static_cast<std::size_t>(first);
        const auto count = static_cast<std::size_t>(last - first);
        const auto part = values.subspan(begin, count);
        const bool fit = overwrite ? add_rounded<true>(part, factor, limit, to.data() + begin)
                                   : add_rounded<false>(part, factor, limit, to.data() + begin);
        if (!fit) fits = false;
    });
    return fits;
}

bool CpuBackend::sum_exact(std::span<const float* const> arrays, int fraction_bits, std::int64_t addends,
                           std::span<float> to) {
    require(addends > 0 && fraction_bits >= 0 && fraction_bits < 127 && !arrays.empty(),
            "the scale of an exact sum is in range");
    const float factor = std::ldexp(1.0F, fraction_bits);
    const float limit = limit_above(0x1p62 / static_cast<double>(addends));
    const auto sum = arrays.size() == 1 ? sum_few<1> : arrays.size() == 2 ? sum_few<2> : sum_rounded;
    std::atomic<bool> fits = true;
    threads_.split(std::ssize(to), kGrain, [&](std::int64_t first, std::int64_t last) {
        if (!sum(arrays, factor, limit, first, last, to.data())) fits = false;
    });
    return fits;
}

void CpuBackend::from_exact(std::span<const std::int64_t> values, int fraction_bits, std::span<float> to) {
    require(values.size() == to.size(), "arrays to convert have one length");
    require(fraction_bits >= 0 && fraction_bits < 127, "the scale of an exact sum is in range");
    const float factor = std::ldexp(1.0F, -fraction_bits);
    threads_.split(std::ssize(to), kGrain, [&](std::int64_t first, std::int64_t last) {
        for (auto i = static_cast<std::size_t>(first); i < static_cast<std::size_t>(last); ++i)
            to[i] = static_cast<float>(values[i]) * factor;
    });
}

}  // namespace vae_dist
