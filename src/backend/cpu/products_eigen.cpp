// Small products too go through the blocked kernel: Eigen's short cut for them sums in an order that depends
// on where the matrices lie.
#define EIGEN_GEMM_TO_COEFFBASED_THRESHOLD 1
#define EIGEN_DONT_PARALLELIZE
#include <fmt/format.h>

#include <Eigen/Core>

#include "backend/cpu/products.hpp"
#include "vae_dist/core/error.hpp"

namespace vae_dist {

namespace {

using RowMajor = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

template <class Matrix, class View>
auto map(const View& view) {
    return Eigen::Map<Matrix, Eigen::Unaligned, Eigen::OuterStride<>>(view.data, view.rows, view.columns,
                                                                      Eigen::OuterStride<>(view.stride));
}

void multiply_rows(const Factor& a, const Factor& b, const float* bias, FloatMatrix product) {
    const auto a_map = map<const RowMajor>(a.matrix.floats());
    const auto b_map = map<const RowMajor>(b.matrix.floats());
    auto result = map<RowMajor>(product);
    if (a.transposed && b.transposed) {
        result.noalias() = a_map.transpose() * b_map.transpose();
    } else if (a.transposed) {
        result.noalias() = a_map.transpose() * b_map;
    } else if (b.transposed) {
        result.noalias() = a_map * b_map.transpose();
    } else {
        result.noalias() = a_map * b_map;
    }
    if (bias != nullptr) result.rowwise() += Eigen::Map<const Eigen::RowVectorXf>(bias, product.columns);
}

class EigenProducts final : public MatrixProducts {
 public:
    explicit EigenProducts(Threads threads) : threads_(threads) {}

    std::string description() const override {
        return fmt::format("Eigen {}.{}.{} ({})", EIGEN_WORLD_VERSION, EIGEN_MAJOR_VERSION,
                           EIGEN_MINOR_VERSION, Eigen::SimdInstructionSetsInUse());
    }
    bool has_fast_bfloat16() const override { return false; }

    void multiply(const Factor& a, const Factor& b, const float* bias, Operand product) override {
        require(a.rows() == product.rows() && a.columns() == b.rows() && b.columns() == product.columns(),
                "shapes of a product agree");
        const FloatMatrix all = product.floats();
        if (all.size() == 0) return;
        const std::int64_t piece = rows_a_piece(all.rows);
        threads_.each((all.rows + piece - 1) / piece, [&](std::int64_t i) {
            const std::int64_t first = i * piece;
            const std::int64_t rows = std::min(piece, all.rows - first);
            const ConstOperand part =
                a.transposed ? a.matrix.column_block(first, rows) : a.matrix.row_block(first, rows);
            multiply_rows({part, a.transposed}, b, bias, all.row_block(first, rows));
        });
    }

 private:
    Threads threads_;
};

}  // namespace

std::unique_ptr<MatrixProducts> make_eigen_products(Threads threads) {
    return make_widening_products(std::make_unique<EigenProducts>(threads), threads);
}

}  // namespace vae_dist
