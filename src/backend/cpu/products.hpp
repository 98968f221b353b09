#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "backend/cpu/threads.hpp"
#include "vae_dist/core/operand.hpp"

namespace vae_dist {

/// A factor of a matrix product: a matrix as it is, or its transpose.
struct Factor {
    ConstOperand matrix;
    bool transposed = false;

    std::int64_t rows() const { return transposed ? matrix.columns() : matrix.rows(); }
    std::int64_t columns() const { return transposed ? matrix.rows() : matrix.columns(); }
};

/// Matrix products. The bits of a product are a function of its factors' values, shapes, strides and
/// transpositions alone, not of the number of threads.
class MatrixProducts {
 public:
    virtual ~MatrixProducts() = default;

    /// The library, its version and what it found in the processor.
    virtual std::string description() const = 0;

    /// Whether processor and library have instructions for bfloat16.
    virtual bool has_fast_bfloat16() const = 0;

    /// product (M, N) = a (M, K) b (K, N) + bias (N) in each row, if not null, with the factors in one
    /// precision, sums in float and the result rounded to the product's precision once.
    virtual void multiply(const Factor& a, const Factor& b, const float* bias, Operand product) = 0;
};

/// Rows of a product that are computed by themselves where the bits of a row may depend on how many are
/// computed with it: a number that depends on the shape alone. Few enough for several threads to have some,
/// many enough for what is made ready once a piece.
std::int64_t rows_a_piece(std::int64_t rows);

/// oneDNN, or nullptr where the build lacks it.
std::unique_ptr<MatrixProducts> make_onednn_products(Threads threads);

/// Floats in a vector of the instructions that oneDNN's products use on this processor; 0 where the build
/// lacks it, or it knows no vectors here.
int lanes_of_onednn_products();

/// Our own products. A row's bits, and an element's, do not depend on what is computed with it. As fast as
/// the best libraries on processors with AVX2; tests/bench/README.md has figures.
std::unique_ptr<MatrixProducts> make_blocked_products(Threads threads);

/// Floats in a vector of the instructions that this build's own products use.
int lanes_of_blocked_products();

/// What is fastest here: a function of processor and build. oneDNN from AVX-512 on, for it has blocked
/// kernels of its own there; below, our own products, unless this build was made for narrower vectors than
/// the processor has.
std::unique_ptr<MatrixProducts> make_products(Threads threads);

/// Products of bfloat16 matrices by way of float copies of them, for a library or processor that knows float
/// alone.
std::unique_ptr<MatrixProducts> make_widening_products(std::unique_ptr<MatrixProducts> products,
                                                       Threads threads);

}  // namespace vae_dist
