#pragma once

#include <span>

#include "vae_dist/backend/backend.hpp"
#include "vae_dist/ops/operation.hpp"

namespace vae_dist {

/// What differs from pass to pass: over which samples it is, and with which numbers.
struct Pass {
    std::int64_t rows = 0;                             ///< B
    std::int64_t draws = 1;                            ///< K, of each sample
    std::span<const std::int64_t> row_numbers = {};    ///< (B), of each sample in the data; host
    CounterRandom noise{0, Purpose::posterior_noise};  ///< epsilon is drawn as PosteriorDraws says
    std::uint32_t visit = 0;
    std::int64_t first_draw = 0;
    double sample_weight = 1;
    double beta = 1;
    double free_bits = 0;
};

/// What an operation works on, in the backend's memory. Inputs and outputs are in the order of the operation;
/// an optional output that nobody reads is empty.
struct Arguments {
    std::span<const ConstOperand> inputs;
    std::span<const Operand> outputs;
    const Pass& pass;
    double* terms = nullptr;  ///< of the backend's memory, for SumTerm
};

/// Runs one operation.
void run(Backend& backend, const Operation& operation, const Arguments& arguments);

}  // namespace vae_dist
