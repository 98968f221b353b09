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

class EigenProducts final : public MatrixProducts {
 public:
    std::string description() const override {
        return fmt::format("Eigen {}.{}.{} ({}), 1 thread", EIGEN_WORLD_VERSION, EIGEN_MAJOR_VERSION,
                           EIGEN_MINOR_VERSION, Eigen::SimdInstructionSetsInUse());
    }

    void multiply(const Factor& a, const Factor& b, FloatMatrix product) override {
        require(a.rows() == product.rows && a.columns() == b.rows() && b.columns() == product.columns,
                "shapes of a product agree");
        if (product.size() == 0) return;
        const auto a_map = map<const RowMajor>(a.matrix);
        const auto b_map = map<const RowMajor>(b.matrix);
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
    }
};

}  // namespace

std::unique_ptr<MatrixProducts> make_eigen_products() {
    return std::make_unique<EigenProducts>();
}

}  // namespace vae_dist
