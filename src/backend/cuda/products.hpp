#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "backend/cuda/handles.hpp"
#include "backend/cuda/queue.hpp"
#include "backend/cuda/scratch.hpp"
#include "vae_dist/core/operand.hpp"

namespace vae_dist {

/// A factor of a matrix product: a matrix as it is, or its transpose.
struct DeviceFactor {
    ConstOperand matrix;
    bool transposed = false;

    std::int64_t rows() const { return transposed ? matrix.columns() : matrix.rows(); }
    std::int64_t columns() const { return transposed ? matrix.rows() : matrix.columns(); }
};

/// Matrix products by cuBLASLt. Factors are rounded to TF32 (10 bits of fraction) where they are floats; sums
/// are float. The bits of a product are a function of its factors' values, shapes and strides: cuBLASLt
/// chooses its algorithm by these, once for each, among those whose sums have one order.
class CublasProducts {
 public:
    explicit CublasProducts(Queue& queue);

    /// product (M, N) = a (M, K) b (K, N) + bias (N) in each row, if not null; both factors of one precision.
    void multiply(const DeviceFactor& a, const DeviceFactor& b, const float* bias, FloatMatrix product);

 private:
    struct Shape {
        std::int64_t m, n, k, a_stride, b_stride, product_stride;
        bool a_transposed, b_transposed, bfloat16, bias;
        auto operator<=>(const Shape&) const = default;
    };
    struct Plan;

    const Plan& plan_for(const Shape& shape);
    ConstOperand aligned(const ConstOperand& matrix, DeviceScratch& scratch);

    using Handle = Owned<cublasLtHandle_t, cublasLtDestroy>;

    Queue& queue_;
    Handle handle_;
    Buffer workspace_;
    std::map<Shape, std::unique_ptr<Plan>> plans_;
    DeviceScratch aligned_a_, aligned_b_, aligned_product_, aligned_bias_;

 public:
    ~CublasProducts();
};

}  // namespace vae_dist
