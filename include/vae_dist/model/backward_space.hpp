#pragma once

#include <array>
#include <cstdint>

#include "vae_dist/core/error.hpp"
#include "vae_dist/model/arena.hpp"

namespace vae_dist {

/// Memory for the gradients by activations, of which a backward pass holds two at a time: that by a layer's
/// output and that by its input. Both lie where the last layers' lay, and so in the cache.
class BackwardSpace {
 public:
    BackwardSpace() = default;
    /// For matrices of up to `elements`.
    BackwardSpace(Arena& arena, Precision precision, std::int64_t elements)
        : floats_{arena.floats(1, elements), arena.floats(1, elements)} {
        if (precision != Precision::float32) operand_ = arena.operand(precision, 1, elements);
    }

    FloatMatrix first(std::int64_t rows, std::int64_t columns) const {
        require(rows * columns <= floats_[0].columns, "a pass is not larger than what was reserved");
        return {floats_[0].data, rows, columns};
    }

    /// (rows of one, columns) in the half that is not that of `one`.
    FloatMatrix other(const FloatMatrix& one, std::int64_t columns) const {
        const FloatMatrix& half = floats_[one.data == floats_[0].data ? 1 : 0];
        require(one.rows * columns <= half.columns, "a pass is not larger than what was reserved");
        return {half.data, one.rows, columns};
    }

    /// A matrix of the shape of `floats` in the precision of products: `floats` itself where that is theirs.
    Operand operand(const FloatMatrix& floats) const {
        if (operand_.empty()) return floats;
        return BFloat16Matrix(operand_.bfloats().data, floats.rows, floats.columns);
    }

 private:
    std::array<FloatMatrix, 2> floats_;
    Operand operand_;
};

}  // namespace vae_dist
