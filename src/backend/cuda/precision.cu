#include "backend/cuda/cuda_backend.hpp"
#include "backend/cuda/elements.hpp"
#include "backend/rows_a_sample.hpp"
#include "vae_dist/core/require.hpp"

namespace vae_dist {

namespace {

template <class T>
struct Convert {
    ConstFloats from;
    Rows<T> to;
    std::int64_t times;  ///< how often each row stands in `to`
    __device__ void operator()(std::int64_t row, std::int64_t column) const {
        to.store(row, column, from.load(row / times, column));
    }
};

}  // namespace

void CudaBackend::round(ConstFloatMatrix from, Operand to) {
    const std::int64_t times = rows_a_sample(to.rows(), from.rows);
    require(from.columns == to.columns(), "matrices to convert have one width");
    if (!to.is_bfloat16() && to.floats().data == from.data) return;
    to.visit([&]<class T>(const MatrixView<T>& output) {
        run_groups(queue_, output.rows, from.columns, Convert<T>{from, output, times});
    });
}

void CudaBackend::to_bfloat16(std::span<const float> from, std::span<BFloat16> to) {
    require(from.size() == to.size(), "arrays to convert have one length");
    const std::int64_t size = std::ssize(to);
    run_groups(queue_, 1, size, Convert<BFloat16>{{from.data(), size}, {to.data(), size}, 1});
}

}  // namespace vae_dist
