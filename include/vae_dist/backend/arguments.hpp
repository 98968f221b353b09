#pragma once

#include <cstdint>
#include <span>

#include "vae_dist/core/operand.hpp"
#include "vae_dist/core/random.hpp"

namespace vae_dist {

/// Rows of data, and draws from the posterior of one, are numbered below these: together they make the
/// counter of a random number.
inline constexpr std::int64_t kMostRows = std::int64_t{1} << 40;
inline constexpr std::int64_t kMostDraws = std::int64_t{1} << 23;

/// What differs from pass to pass: over which samples it is, and with which numbers.
///
/// Draw k of the sample in row r of the data has the counter (visit, r + k * kMostRows, latent dimension) of
/// `noise`. Draw 0 is therefore what a single draw is, and more draws leave the earlier ones as they are.
struct Pass {
    std::int64_t rows = 0;                           ///< B
    std::int64_t draws = 1;                          ///< K, of each sample
    std::span<const std::int64_t> row_numbers = {};  ///< (B), of each sample in the data, below 2^40; host
    CounterRandom noise{0, Purpose::posterior_noise};
    std::uint32_t visit = 0;
    std::int64_t first_draw = 0;  ///< the draws are first_draw ... first_draw + draws - 1, below 2^23
    double sample_weight = 1;
    double beta = 1;
    double free_bits = 0;
};

/// What an operation works on, in the backend's memory. Inputs and outputs are in the order of the operation;
/// an optional output that no operation reads is empty. Values of one row or one column lie without gaps.
struct Arguments {
    std::span<const ConstOperand> inputs;
    std::span<const Operand> outputs;
    const Pass& pass;
    double* terms = nullptr;  ///< of the backend's memory, for SumTerm
};

}  // namespace vae_dist
