#pragma once

#include <span>

#include "vae_dist/backend/arguments.hpp"
#include "vae_dist/core/matrix_view.hpp"
#include "vae_dist/core/require.hpp"

namespace vae_dist {

// How backends read an operation's values.

/// The numbers of a value of one column.
inline std::span<float> column(const Operand& value) {
    return {value.floats().data, static_cast<std::size_t>(value.rows())};
}
inline std::span<const float> column(const ConstOperand& value) {
    return {value.floats().data, static_cast<std::size_t>(value.rows())};
}

/// A posterior's mean and log-variance (B, Z), or gradients with respect to them, which lie side by side.
template <class T>
struct PosteriorHalves {
    explicit PosteriorHalves(const MatrixView<T>& both)
        : mean(both.column_block(0, both.columns / 2)),
          log_variance(both.column_block(both.columns / 2, both.columns / 2)) {}

    MatrixView<T> mean;
    MatrixView<T> log_variance;
};

/// Checks that the draws of a posterior of so many rows have random numbers of their own.
inline void require_drawable(const Pass& pass, std::int64_t rows, std::int64_t draws) {
    require(std::ssize(pass.row_numbers) == rows, "every row of the posterior has a number");
    require(draws == rows * pass.draws, "every draw has a row");
    require(pass.first_draw + pass.draws <= kMostDraws, "draws are numbered below 2^23");
    for (const std::int64_t row : pass.row_numbers)
        require(row >= 0 && row < kMostRows, "rows are numbered below 2^40");
}

/// What the sum of a term's column is divided by: draws of a sample count 1/K each.
inline double term_divisor(const Arguments& with) {
    const Pass& pass = with.pass;
    const bool of_draws = pass.draws > 1 && with.inputs[0].rows() == pass.rows * pass.draws;
    return of_draws ? static_cast<double>(pass.draws) : 1.0;
}

}  // namespace vae_dist
