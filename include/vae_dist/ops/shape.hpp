#pragma once

#include <cstdint>

namespace vae_dist {

/// What the rows of a value are.
enum class RowClass {
    sample,  ///< B: the samples of a pass
    draw,    ///< B K: the draws of a pass, those of a sample adjacent
    fixed,   ///< of no pass: parameters and their gradients
};

/// The shape of a value: a matrix (rows, columns).
struct ValueShape {
    RowClass rows = RowClass::sample;
    std::int64_t fixed_rows = 0;  ///< of RowClass::fixed, else 0
    std::int64_t columns = 0;

    bool operator==(const ValueShape&) const = default;
};

inline constexpr ValueShape sample_shape(std::int64_t columns) {
    return {.rows = RowClass::sample, .columns = columns};
}
inline constexpr ValueShape draw_shape(std::int64_t columns) {
    return {.rows = RowClass::draw, .columns = columns};
}
inline constexpr ValueShape fixed_shape(std::int64_t rows, std::int64_t columns) {
    return {.rows = RowClass::fixed, .fixed_rows = rows, .columns = columns};
}

/// A value's number in its graph.
using ValueId = std::int32_t;

}  // namespace vae_dist
