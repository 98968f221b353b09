#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "vae_dist/core/matrix_view.hpp"

namespace vae_dist {

/// A factor of a matrix product: a matrix as it is, or its transpose.
struct Factor {
    ConstFloatMatrix matrix;
    bool transposed = false;

    std::int64_t rows() const { return transposed ? matrix.columns : matrix.rows; }
    std::int64_t columns() const { return transposed ? matrix.rows : matrix.columns; }
};

/// Matrix products of float matrices. The bits of a product are a function of its factors' values, shapes,
/// strides and transpositions alone.
class MatrixProducts {
 public:
    virtual ~MatrixProducts() = default;

    /// The library, its version and what it found in the processor, and the number of threads.
    virtual std::string description() const = 0;

    /// product (M, N) = a (M, K) b (K, N); zeros where K is 0.
    virtual void multiply(const Factor& a, const Factor& b, FloatMatrix product) = 0;
};

/// oneDNN on `threads` threads, or nullptr where the build lacks it.
std::unique_ptr<MatrixProducts> make_onednn_products(std::int64_t threads);

/// Eigen, on one thread.
std::unique_ptr<MatrixProducts> make_eigen_products();

}  // namespace vae_dist
