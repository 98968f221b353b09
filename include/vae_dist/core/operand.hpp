#pragma once

#include <cstdint>
#include <type_traits>
#include <variant>

#include "vae_dist/core/bfloat16.hpp"
#include "vae_dist/core/matrix_view.hpp"

namespace vae_dist {

using BFloat16Matrix = MatrixView<BFloat16>;
using ConstBFloat16Matrix = MatrixView<const BFloat16>;

/// A view of a matrix in one of the precisions of matrix products: float or bfloat16.
template <class Float, class Half>
class BasicOperand {
 public:
    /// No matrix.
    BasicOperand() = default;
    BasicOperand(MatrixView<Float> floats) : view_(floats) {}
    BasicOperand(MatrixView<Half> halves) : view_(halves) {}
    BasicOperand(const FloatMatrix& floats) requires(std::is_const_v<Float>)
        : view_(ConstFloatMatrix(floats)) {}
    BasicOperand(const BFloat16Matrix& halves) requires(std::is_const_v<Half>)
        : view_(ConstBFloat16Matrix(halves)) {}
    /// A view for writing converts to a view for reading.
    template <class Other>
    BasicOperand(const Other& other) requires(
        std::is_const_v<Float>&&
            std::is_same_v<Other, BasicOperand<std::remove_const_t<Float>, std::remove_const_t<Half>>>) {
        other.visit([&](const auto& view) { *this = view; });
    }

    bool is_bfloat16() const { return view_.index() == 1; }
    /// The view; throws std::bad_variant_access where the matrix has the other precision.
    const MatrixView<Float>& floats() const { return std::get<0>(view_); }
    const MatrixView<Half>& bfloats() const { return std::get<1>(view_); }

    bool empty() const {
        return visit([](const auto& view) { return view.data == nullptr; });
    }
    std::int64_t rows() const {
        return visit([](const auto& view) { return view.rows; });
    }
    std::int64_t columns() const {
        return visit([](const auto& view) { return view.columns; });
    }
    std::int64_t stride() const {
        return visit([](const auto& view) { return view.stride; });
    }
    BasicOperand row_block(std::int64_t first, std::int64_t count) const {
        return visit([&](const auto& view) { return BasicOperand(view.row_block(first, count)); });
    }
    BasicOperand column_block(std::int64_t first, std::int64_t count) const {
        return visit([&](const auto& view) { return BasicOperand(view.column_block(first, count)); });
    }

    /// Calls `body` with the view in its own precision.
    template <class Body>
    decltype(auto) visit(Body&& body) const {
        return is_bfloat16() ? body(std::get<1>(view_)) : body(std::get<0>(view_));
    }

 private:
    std::variant<MatrixView<Float>, MatrixView<Half>> view_;
};

using Operand = BasicOperand<float, BFloat16>;
using ConstOperand = BasicOperand<const float, const BFloat16>;

}  // namespace vae_dist
