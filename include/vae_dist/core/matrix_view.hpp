#pragma once

#include <cstdint>
#include <type_traits>

namespace vae_dist {

/// A view of a row-major matrix (rows, columns) in some backend's memory. It owns nothing; consecutive rows
/// lie `stride` elements apart, stride >= columns.
template <class T>
struct MatrixView {
    T* data = nullptr;
    std::int64_t rows = 0;
    std::int64_t columns = 0;
    std::int64_t stride = 0;

    MatrixView() = default;
    MatrixView(T* data_, std::int64_t rows_, std::int64_t columns_)
        : data(data_), rows(rows_), columns(columns_), stride(columns_) {}
    MatrixView(T* data_, std::int64_t rows_, std::int64_t columns_, std::int64_t stride_)
        : data(data_), rows(rows_), columns(columns_), stride(stride_) {}

    /// A view for writing converts to a view for reading.
    operator MatrixView<const T>() const requires(!std::is_const_v<T>) {
        return {data, rows, columns, stride};
    }

    std::int64_t size() const { return rows * columns; }
    T* row(std::int64_t r) const { return data + r * stride; }

    /// Rows [first, first + count).
    MatrixView row_block(std::int64_t first, std::int64_t count) const {
        return {data + first * stride, count, columns, stride};
    }
    /// Columns [first, first + count) of every row.
    MatrixView column_block(std::int64_t first, std::int64_t count) const {
        return {data + first, rows, count, stride};
    }
};

using FloatMatrix = MatrixView<float>;
using ConstFloatMatrix = MatrixView<const float>;

}  // namespace vae_dist
