#include "backend/cuda/products.hpp"

#include <array>
#include <type_traits>

#include "vae_dist/core/error.hpp"

namespace vae_dist {

namespace {

// What cuBLASLt's fastest algorithms ask of a matrix's first element, in bytes.
constexpr std::uint32_t kAlignment = 16;
// What NVIDIA recommends for its largest devices.
constexpr std::size_t kWorkspaceBytes = std::size_t{32} << 20;

template <class Owner, class Create, class... Arguments>
Owner make(Create create, const char* call, Arguments... arguments) {
    typename Owner::pointer handle = nullptr;
    check_cublas(create(&handle, arguments...), call);
    return Owner(handle);
}

using Description = Owned<cublasLtMatmulDesc_t, cublasLtMatmulDescDestroy>;
using Layout = Owned<cublasLtMatrixLayout_t, cublasLtMatrixLayoutDestroy>;
using Preference = Owned<cublasLtMatmulPreference_t, cublasLtMatmulPreferenceDestroy>;

template <class Value>
void set(const Description& description, cublasLtMatmulDescAttributes_t attribute, const Value& value) {
    check_cublas(cublasLtMatmulDescSetAttribute(description.get(), attribute, &value, sizeof(value)),
                 "cublasLtMatmulDescSetAttribute");
}
template <class Value>
void set(const Preference& preference, cublasLtMatmulPreferenceAttributes_t attribute, const Value& value) {
    check_cublas(cublasLtMatmulPreferenceSetAttribute(preference.get(), attribute, &value, sizeof(value)),
                 "cublasLtMatmulPreferenceSetAttribute");
}

// cuBLASLt's matrices are column-major: a row-major matrix is the transpose of one.
Layout layout_of(cudaDataType_t type, std::int64_t rows, std::int64_t columns, std::int64_t stride) {
    return make<Layout>(cublasLtMatrixLayoutCreate, "cublasLtMatrixLayoutCreate", type,
                        static_cast<std::uint64_t>(columns), static_cast<std::uint64_t>(rows), stride);
}

// One where the preference asks for whole sums in one order, and expects every matrix to lie well: else the
// algorithm, and with it the last bits, would depend on where a matrix lies.
Preference preference() {
    auto made = make<Preference>(cublasLtMatmulPreferenceCreate, "cublasLtMatmulPreferenceCreate");
    set(made, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, kWorkspaceBytes);
    set(made, CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK,
        static_cast<std::uint32_t>(CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE));
    for (const auto attribute :
         {CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES,
          CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES})
        set(made, attribute, kAlignment);
    return made;
}

bool lies_well(const void* data) {
    return reinterpret_cast<std::uintptr_t>(data) % kAlignment == 0;
}

const void* data_of(const ConstOperand& matrix) {
    return matrix.visit([](const auto& view) -> const void* { return view.data; });
}

template <class T>
void copy_matrix(Queue& queue, MatrixView<const T> from, MatrixView<T> to) {
    queue.other("copy of a matrix", to.data, [&](cudaStream_t stream) {
        const auto bytes = [](std::int64_t elements) {
            return static_cast<std::size_t>(elements) * sizeof(T);
        };
        check_cuda(
            cudaMemcpy2DAsync(to.data, bytes(to.stride), from.data, bytes(from.stride), bytes(from.columns),
                              static_cast<std::size_t>(from.rows), cudaMemcpyDeviceToDevice, stream),
            "cudaMemcpy2DAsync");
    });
}

}  // namespace

struct CublasProducts::Plan {
    Description description;
    Layout a, b, product;
    cublasLtMatmulAlgo_t algorithm;
};

CublasProducts::CublasProducts(Queue& queue)
    : queue_(queue),
      handle_(make<Handle>(cublasLtCreate, "cublasLtCreate")),
      workspace_(allocate_device_memory(kWorkspaceBytes)),
      aligned_a_(queue),
      aligned_b_(queue),
      aligned_product_(queue),
      aligned_bias_(queue) {}

CublasProducts::~CublasProducts() = default;

void CublasProducts::multiply(const DeviceFactor& a, const DeviceFactor& b, const float* bias,
                              FloatMatrix product) {
    require(a.matrix.is_bfloat16() == b.matrix.is_bfloat16(), "both factors are of one precision");
    require(a.rows() == product.rows && b.columns() == product.columns && a.columns() == b.rows(),
            "factors fit each other and their product");
    if (product.rows == 0 || product.columns == 0) return;
    require(a.columns() > 0, "a product sums something");
    const Plan& plan = plan_for({.m = product.rows,
                                 .n = product.columns,
                                 .k = a.columns(),
                                 .a_stride = a.matrix.stride(),
                                 .b_stride = b.matrix.stride(),
                                 .product_stride = product.stride,
                                 .a_transposed = a.transposed,
                                 .b_transposed = b.transposed,
                                 .bfloat16 = a.matrix.is_bfloat16(),
                                 .bias = bias != nullptr});
    const ConstOperand first = aligned(a.matrix, aligned_a_);
    const ConstOperand second = aligned(b.matrix, aligned_b_);
    FloatMatrix to = product;
    if (!lies_well(product.data)) to.data = aligned_product_.get<float>(product.rows * product.stride);
    if (bias != nullptr && !lies_well(bias)) {
        const ConstFloatMatrix row(bias, 1, product.columns);
        const FloatMatrix copy(aligned_bias_.get<float>(product.columns), 1, product.columns);
        copy_matrix(queue_, row, copy);
        bias = copy.data;
    }
    queue_.other("product", to.data, [&](cudaStream_t stream) {
        if (bias != nullptr) set(plan.description, CUBLASLT_MATMUL_DESC_BIAS_POINTER, bias);
        const float one = 1;
        const float zero = 0;
        check_cublas(cublasLtMatmul(handle_.get(), plan.description.get(), &one, data_of(second),
                                    plan.b.get(), data_of(first), plan.a.get(), &zero, to.data,
                                    plan.product.get(), to.data, plan.product.get(), &plan.algorithm,
                                    workspace_.as<std::byte>(), kWorkspaceBytes, stream),
                     "cublasLtMatmul");
    });
    if (to.data != product.data) copy_matrix(queue_, ConstFloatMatrix(to), product);
}

// product^T = b^T a^T, all of which cuBLASLt sees as they are in memory.
const CublasProducts::Plan& CublasProducts::plan_for(const Shape& shape) {
    std::unique_ptr<Plan>& plan = plans_[shape];
    if (plan) return *plan;
    auto made = std::make_unique<Plan>();
    const cudaDataType_t type = shape.bfloat16 ? CUDA_R_16BF : CUDA_R_32F;
    const cublasComputeType_t compute = shape.bfloat16 ? CUBLAS_COMPUTE_32F : CUBLAS_COMPUTE_32F_FAST_TF32;
    const auto layout = [&](std::int64_t rows, std::int64_t columns, bool transposed, std::int64_t stride) {
        return transposed ? layout_of(type, columns, rows, stride) : layout_of(type, rows, columns, stride);
    };
    made->description =
        make<Description>(cublasLtMatmulDescCreate, "cublasLtMatmulDescCreate", compute, CUDA_R_32F);
    const auto operation = [](bool transposed) { return transposed ? CUBLAS_OP_T : CUBLAS_OP_N; };
    set(made->description, CUBLASLT_MATMUL_DESC_TRANSA, operation(shape.b_transposed));
    set(made->description, CUBLASLT_MATMUL_DESC_TRANSB, operation(shape.a_transposed));
    if (shape.bias) {
        set(made->description, CUBLASLT_MATMUL_DESC_EPILOGUE, CUBLASLT_EPILOGUE_BIAS);
        set(made->description, CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE, CUDA_R_32F);
    }
    made->a = layout(shape.m, shape.k, shape.a_transposed, shape.a_stride);
    made->b = layout(shape.k, shape.n, shape.b_transposed, shape.b_stride);
    made->product = layout_of(CUDA_R_32F, shape.m, shape.n, shape.product_stride);
    cublasLtMatmulHeuristicResult_t best = {};
    int found = 0;
    const Preference wanted = preference();
    check_cublas(cublasLtMatmulAlgoGetHeuristic(handle_.get(), made->description.get(), made->b.get(),
                                                made->a.get(), made->product.get(), made->product.get(),
                                                wanted.get(), 1, &best, &found),
                 "cublasLtMatmulAlgoGetHeuristic");
    if (found == 0) {
        throw_failure("cuBLASLt has no algorithm for the product of a {} x {} and a {} x {} matrix", shape.m,
                      shape.k, shape.k, shape.n);
    }
    made->algorithm = best.algo;
    plan = std::move(made);
    return *plan;
}

ConstOperand CublasProducts::aligned(const ConstOperand& matrix, DeviceScratch& scratch) {
    return matrix.visit([&]<class T>(const MatrixView<const T>& view) -> ConstOperand {
        if (lies_well(view.data)) return view;
        const MatrixView<T> copy(scratch.get<T>(view.rows * view.stride), view.rows, view.columns,
                                 view.stride);
        copy_matrix(queue_, view, copy);
        return MatrixView<const T>(copy);
    });
}

}  // namespace vae_dist
