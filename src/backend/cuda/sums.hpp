#pragma once

#include <algorithm>
#include <cstdint>

#include "backend/cuda/elements.hpp"

namespace vae_dist {

// Sums over the rows or columns of a matrix, in one order for each shape. In two kernels: some threads share
// a row or column and write what each has added up; then one thread adds these. Doubles, but for the terms of
// a thread.

/// A thread's sums over the columns of a row, of which it takes every `slots`-th group. term(row, column,
/// sums) adds the terms of a group's four columns to four sums.
template <class Term>
struct RowPartials {
    std::int64_t rows, columns, slots;
    double* partial;  ///< (rows, slots)
    Term term;
    __device__ void operator()(const GridPlace& place) const {
        if (place.x >= slots) return;
        for (std::int64_t row = place.y; row < rows; row += place.y_step) {
            Four sums = {};
            for (std::int64_t column = place.x * kGroup; column < columns; column += slots * kGroup)
                term(row, column, sums);
            const double front = static_cast<double>(sums.v[0]) + static_cast<double>(sums.v[1]);
            const double back = static_cast<double>(sums.v[2]) + static_cast<double>(sums.v[3]);
            partial[row * slots + place.x] = front + back;
        }
    }
};

template <class Finish>
struct RowTotals {
    std::int64_t slots;
    const double* partial;
    Finish finish;
    __device__ void operator()(std::int64_t row) const {
        double total = 0;
        for (std::int64_t slot = 0; slot < slots; ++slot)
            total += partial[row * slots + slot];
        finish(row, total);
    }
};

/// finish(row, the sum of the row's terms) for each row.
template <class Term, class Finish>
void sum_rows(Queue& queue, DeviceScratch& scratch, std::int64_t rows, std::int64_t columns, const Term& term,
              const Finish& finish) {
    if (rows == 0) return;
    constexpr std::int64_t kMostSlots = 32;
    const std::int64_t slots = std::clamp<std::int64_t>(groups_of(columns), 1, kMostSlots);
    double* const partial = scratch.get<double>(rows * slots);
    run_grid(queue, slots, rows, RowPartials<Term>{rows, columns, slots, partial, term});
    run_each(queue, rows, RowTotals<Finish>{slots, partial, finish});
}

/// A thread's sums over every `slots`-th row of a group of columns. term(row, column) gives the four terms.
template <class Term>
struct ColumnPartials {
    std::int64_t rows, columns, slots;
    Floats partial;  ///< (slots, columns)
    Term term;
    __device__ void operator()(const GridPlace& place) const {
        const std::int64_t column = place.x * kGroup;
        if (column >= columns) return;
        for (std::int64_t slot = place.y; slot < slots; slot += place.y_step) {
            Four sums = {};
            for (std::int64_t row = slot; row < rows; row += slots) {
                const Four terms = term(row, column);
                for (int i = 0; i < kGroup; ++i)
                    sums.v[i] += terms.v[i];
            }
            partial.store(slot, column, sums);
        }
    }
};

template <class Finish>
struct ColumnTotals {
    std::int64_t slots;
    const float* partial;
    std::int64_t stride;
    Finish finish;
    __device__ void operator()(std::int64_t column) const {
        double total = 0;
        for (std::int64_t slot = 0; slot < slots; ++slot)
            total += static_cast<double>(partial[slot * stride + column]);
        finish(column, total);
    }
};

/// finish(column, the sum of the column's terms) for each column.
template <class Term, class Finish>
void sum_columns(Queue& queue, DeviceScratch& scratch, std::int64_t rows, std::int64_t columns,
                 const Term& term, const Finish& finish) {
    constexpr std::int64_t kRowsOfAThread = 8;
    constexpr std::int64_t kMostSlots = 64;
    const std::int64_t slots =
        std::clamp<std::int64_t>((rows + kRowsOfAThread - 1) / kRowsOfAThread, 1, kMostSlots);
    const std::int64_t stride = groups_of(columns) * kGroup;
    float* const partial = scratch.get<float>(slots * stride);
    const FloatMatrix sums(partial, slots, stride);
    run_grid(queue, groups_of(columns), slots, ColumnPartials<Term>{rows, columns, slots, sums, term});
    run_each(queue, columns, ColumnTotals<Finish>{slots, partial, stride, finish});
}

/// What the sum of a row or column is stored as.
struct StoreSum {
    float* to;
    __device__ void operator()(std::int64_t i, double total) const { to[i] = static_cast<float>(total); }
};

}  // namespace vae_dist
