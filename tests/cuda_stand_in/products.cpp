#include <algorithm>
#include <cstring>
#include <vector>

#include "cublasLt.h"
#include "device_memory.hpp"
#include "environment.hpp"
#include "stand_in.hpp"
#include "streams.hpp"

// Matrices are column by column. Sums are in one order, whatever the addresses.

struct cublasLtContext {};

struct cublasLtMatmulDescOpaque_t {
    bool tf32 = false;
    bool a_transposed = false;
    bool b_transposed = false;
    bool has_bias = false;
    const float* bias = nullptr;
};

struct cublasLtMatrixLayoutOpaque_t {
    cudaDataType_t type;
    std::size_t rows, columns, stride;
    bool operator==(const cublasLtMatrixLayoutOpaque_t&) const = default;

    std::size_t element_bytes() const { return type == CUDA_R_16BF ? 2 : 4; }
    std::size_t bytes() const {
        return rows == 0 || columns == 0 ? 0 : ((columns - 1) * stride + rows) * element_bytes();
    }
};

struct cublasLtMatmulPreferenceOpaque_t {
    std::uint64_t workspace = 0;
    std::uint32_t alignment = 256;
};

namespace cuda_stand_in {

namespace {

/// What an algorithm was found for.
struct Algorithm {
    std::uint64_t m, n, k, alignment, workspace;
};

float widened(std::uint16_t bits) {
    const std::uint32_t wide = std::uint32_t{bits} << 16;
    float value = 0;
    std::memcpy(&value, &wide, sizeof value);
    return value;
}

// To ten bits of fraction, to nearest, ties to even, as tensor cores' users round.
float to_tf32(float value) {
    std::uint32_t bits = 0;
    std::memcpy(&bits, &value, sizeof bits);
    if ((bits & 0x7F800000U) != 0x7F800000U) {
        bits += 0xFFFU + ((bits >> 13) & 1U);
        bits &= ~0x1FFFU;
    }
    std::memcpy(&value, &bits, sizeof value);
    return value;
}

/// A factor's elements as they are multiplied, (rows, columns) of the transpose where asked, column by
/// column.
std::vector<float> read(const void* data, const cublasLtMatrixLayoutOpaque_t& layout, bool transposed,
                        bool tf32) {
    const std::size_t rows = transposed ? layout.columns : layout.rows;
    std::vector<float> values(layout.rows * layout.columns);
    for (std::size_t column = 0; column < layout.columns; ++column) {
        for (std::size_t row = 0; row < layout.rows; ++row) {
            const std::size_t at = column * layout.stride + row;
            float value = layout.type == CUDA_R_16BF ? widened(static_cast<const std::uint16_t*>(data)[at])
                                                     : static_cast<const float*>(data)[at];
            if (tf32) value = to_tf32(value);
            values[transposed ? row * rows + column : column * rows + row] = value;
        }
    }
    return values;
}

struct Product {
    cublasLtMatmulDescOpaque_t description;
    const void* a;
    cublasLtMatrixLayoutOpaque_t a_layout;
    const void* b;
    cublasLtMatrixLayoutOpaque_t b_layout;
    float* d;
    cublasLtMatrixLayoutOpaque_t d_layout;

    void operator()() const {
        ++done().products;
        const std::vector<float> left = read(a, a_layout, description.a_transposed, description.tf32);
        const std::vector<float> right = read(b, b_layout, description.b_transposed, description.tf32);
        const std::size_t m = d_layout.rows;
        const std::size_t k = left.size() / m;
        done().product_flops += static_cast<std::int64_t>(2 * m * k * d_layout.columns);
        done().product_bytes +=
            static_cast<std::int64_t>(a_layout.bytes() + b_layout.bytes() + d_layout.bytes());
        std::vector<float> sums(m);
        for (std::size_t column = 0; column < d_layout.columns; ++column) {
            std::ranges::fill(sums, 0.0F);
            for (std::size_t i = 0; i < k; ++i) {
                const float factor = right[column * k + i];
                const float* const from = left.data() + i * m;
                float* const to = sums.data();
                for (std::size_t row = 0; row < m; ++row)
                    to[row] += from[row] * factor;
            }
            for (std::size_t row = 0; row < m; ++row)
                d[column * d_layout.stride + row] =
                    sums[row] + (description.has_bias ? description.bias[row] : 0.0F);
        }
    }
};

bool is_aligned(const void* data, std::uint64_t alignment) {
    return reinterpret_cast<std::uintptr_t>(data) % alignment == 0;
}

// The extents of the product d = op(a) op(b); false where they do not fit each other.
bool extents(const cublasLtMatmulDescOpaque_t& description, const cublasLtMatrixLayoutOpaque_t& a,
             const cublasLtMatrixLayoutOpaque_t& b, const cublasLtMatrixLayoutOpaque_t& d, Algorithm& found) {
    found.m = description.a_transposed ? a.columns : a.rows;
    found.k = description.a_transposed ? a.rows : a.columns;
    found.n = description.b_transposed ? b.rows : b.columns;
    const std::size_t inner = description.b_transposed ? b.columns : b.rows;
    return found.k == inner && d.rows == found.m && d.columns == found.n && d.type == CUDA_R_32F &&
           a.type == b.type;
}

template <class T, class Handle>
cublasStatus_t make(Handle* handle, T made) {
    *handle = new T(made);
    ++live().products;
    return CUBLAS_STATUS_SUCCESS;
}
template <class Handle>
cublasStatus_t destroy(Handle handle) {
    delete handle;
    --live().products;
    return CUBLAS_STATUS_SUCCESS;
}

template <class T>
T value_of(const void* value) {
    T copy;
    std::memcpy(&copy, value, sizeof copy);
    return copy;
}

}  // namespace

}  // namespace cuda_stand_in

using namespace cuda_stand_in;

const char* cublasLtGetStatusName(cublasStatus_t status) {
    return status == CUBLAS_STATUS_INVALID_VALUE ? "CUBLAS_STATUS_INVALID_VALUE"
                                                 : "CUBLAS_STATUS_EXECUTION_FAILED";
}

const char* cublasLtGetStatusString(cublasStatus_t status) {
    return status == CUBLAS_STATUS_INVALID_VALUE ? "an invalid value" : "the execution failed";
}

std::size_t cublasLtGetVersion() {
    return 130002;
}

cublasStatus_t cublasLtCreate(cublasLtHandle_t* handle) {
    if (is_to_fail("cublasLtCreate")) return CUBLAS_STATUS_EXECUTION_FAILED;
    return make(handle, cublasLtContext());
}

cublasStatus_t cublasLtDestroy(cublasLtHandle_t handle) {
    return destroy(handle);
}

cublasStatus_t cublasLtMatmulDescCreate(cublasLtMatmulDesc_t* description, cublasComputeType_t compute,
                                        cudaDataType_t scale) {
    if (scale != CUDA_R_32F) return CUBLAS_STATUS_NOT_SUPPORTED;
    cublasLtMatmulDescOpaque_t made;
    made.tf32 = compute == CUBLAS_COMPUTE_32F_FAST_TF32;
    return make(description, made);
}

cublasStatus_t cublasLtMatmulDescDestroy(cublasLtMatmulDesc_t description) {
    return destroy(description);
}

cublasStatus_t cublasLtMatmulDescSetAttribute(cublasLtMatmulDesc_t description,
                                              cublasLtMatmulDescAttributes_t attribute, const void* value,
                                              std::size_t bytes) {
    const bool is_pointer = attribute == CUBLASLT_MATMUL_DESC_BIAS_POINTER;
    if (bytes != (is_pointer ? sizeof(void*) : sizeof(int))) return CUBLAS_STATUS_INVALID_VALUE;
    switch (attribute) {
        case CUBLASLT_MATMUL_DESC_TRANSA:
            description->a_transposed = value_of<cublasOperation_t>(value) == CUBLAS_OP_T;
            return CUBLAS_STATUS_SUCCESS;
        case CUBLASLT_MATMUL_DESC_TRANSB:
            description->b_transposed = value_of<cublasOperation_t>(value) == CUBLAS_OP_T;
            return CUBLAS_STATUS_SUCCESS;
        case CUBLASLT_MATMUL_DESC_EPILOGUE:
            description->has_bias = value_of<cublasLtEpilogue_t>(value) == CUBLASLT_EPILOGUE_BIAS;
            return CUBLAS_STATUS_SUCCESS;
        case CUBLASLT_MATMUL_DESC_BIAS_POINTER:
            description->bias = value_of<const float*>(value);
            return CUBLAS_STATUS_SUCCESS;
        case CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE:
            return value_of<cudaDataType_t>(value) == CUDA_R_32F ? CUBLAS_STATUS_SUCCESS
                                                                 : CUBLAS_STATUS_NOT_SUPPORTED;
    }
    return CUBLAS_STATUS_INVALID_VALUE;
}

cublasStatus_t cublasLtMatrixLayoutCreate(cublasLtMatrixLayout_t* layout, cudaDataType_t type,
                                          std::uint64_t rows, std::uint64_t columns, std::int64_t stride) {
    if (stride < static_cast<std::int64_t>(rows)) return CUBLAS_STATUS_INVALID_VALUE;
    return make(layout, cublasLtMatrixLayoutOpaque_t{type, rows, columns, static_cast<std::size_t>(stride)});
}

cublasStatus_t cublasLtMatrixLayoutDestroy(cublasLtMatrixLayout_t layout) {
    return destroy(layout);
}

cublasStatus_t cublasLtMatmulPreferenceCreate(cublasLtMatmulPreference_t* preference) {
    return make(preference, cublasLtMatmulPreferenceOpaque_t());
}

cublasStatus_t cublasLtMatmulPreferenceDestroy(cublasLtMatmulPreference_t preference) {
    return destroy(preference);
}

// One alignment for all matrices, the least that is promised: our user promises the same for each.
cublasStatus_t cublasLtMatmulPreferenceSetAttribute(cublasLtMatmulPreference_t preference,
                                                    cublasLtMatmulPreferenceAttributes_t attribute,
                                                    const void* value, std::size_t bytes) {
    const bool is_workspace = attribute == CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES;
    if (bytes != (is_workspace ? sizeof(std::uint64_t) : sizeof(std::uint32_t)))
        return CUBLAS_STATUS_INVALID_VALUE;
    if (is_workspace) {
        preference->workspace = value_of<std::uint64_t>(value);
    } else if (attribute != CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK) {
        preference->alignment = std::min(preference->alignment, value_of<std::uint32_t>(value));
    }
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulAlgoGetHeuristic(cublasLtHandle_t, cublasLtMatmulDesc_t description,
                                              cublasLtMatrixLayout_t a, cublasLtMatrixLayout_t b,
                                              cublasLtMatrixLayout_t c, cublasLtMatrixLayout_t d,
                                              cublasLtMatmulPreference_t preference, int wanted,
                                              cublasLtMatmulHeuristicResult_t* results, int* found) {
    *found = 0;
    if (is_to_fail("cublasLtMatmulAlgoGetHeuristic")) return CUBLAS_STATUS_NOT_SUPPORTED;
    Algorithm algorithm = {};
    if (wanted < 1 || !(*c == *d) || !extents(*description, *a, *b, *d, algorithm))
        return CUBLAS_STATUS_INVALID_VALUE;
    algorithm.alignment = preference->alignment;
    algorithm.workspace = preference->workspace;
    *results = {};
    std::memcpy(results->algo.data, &algorithm, sizeof algorithm);
    results->workspaceSize = algorithm.workspace;
    *found = 1;
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmul(cublasLtHandle_t, cublasLtMatmulDesc_t description, const void* alpha,
                              const void* a, cublasLtMatrixLayout_t a_layout, const void* b,
                              cublasLtMatrixLayout_t b_layout, const void* beta, const void* c,
                              cublasLtMatrixLayout_t, void* d, cublasLtMatrixLayout_t d_layout,
                              const cublasLtMatmulAlgo_t* algorithm, void* workspace,
                              std::size_t workspace_bytes, cudaStream_t stream) {
    if (is_to_fail("cublasLtMatmul")) return CUBLAS_STATUS_EXECUTION_FAILED;
    Algorithm chosen = {};
    std::memcpy(&chosen, algorithm->data, sizeof chosen);
    Algorithm mine = {};
    const bool fits = extents(*description, *a_layout, *b_layout, *d_layout, mine) && mine.m == chosen.m &&
                      mine.n == chosen.n && mine.k == chosen.k;
    const bool aligned =
        is_aligned(a, chosen.alignment) && is_aligned(b, chosen.alignment) && is_aligned(d, chosen.alignment);
    const bool there = on_device(a, a_layout->bytes()) && on_device(b, b_layout->bytes()) &&
                       on_device(d, d_layout->bytes()) && on_device(workspace, workspace_bytes) &&
                       (!description->has_bias || on_device(description->bias, mine.m * sizeof(float)));
    const bool plain = value_of<float>(alpha) == 1 && value_of<float>(beta) == 0 && c == d;
    if (!fits || !aligned || !there || !plain || workspace_bytes < chosen.workspace)
        return CUBLAS_STATUS_INVALID_VALUE;
    const Product product = {*description, a, *a_layout, b, *b_layout, static_cast<float*>(d), *d_layout};
    return enqueue(stream, {.work = product}) == cudaSuccess ? CUBLAS_STATUS_SUCCESS
                                                             : CUBLAS_STATUS_EXECUTION_FAILED;
}
