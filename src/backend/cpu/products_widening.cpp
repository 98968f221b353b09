#include "backend/cpu/blocks.hpp"
#include "backend/cpu/products.hpp"
#include "backend/cpu/scratch.hpp"

namespace vae_dist {

namespace {

class WideningProducts final : public MatrixProducts {
 public:
    WideningProducts(std::unique_ptr<MatrixProducts> products, Threads threads)
        : products_(std::move(products)), threads_(threads) {}

    std::string description() const override { return products_->description(); }
    bool has_fast_bfloat16() const override { return false; }

    void multiply(const Factor& a, const Factor& b, const float* bias, Operand product) override {
        const FloatMatrix result =
            product.is_bfloat16() ? product_.matrix(product.rows(), product.columns()) : product.floats();
        products_->multiply({widen(a.matrix, a_), a.transposed}, {widen(b.matrix, b_), b.transposed}, bias,
                            result);
        if (product.is_bfloat16()) copy(ConstFloatMatrix(result), product.bfloats());
    }

 private:
    ConstFloatMatrix widen(const ConstOperand& matrix, Scratch& scratch) const {
        if (!matrix.is_bfloat16()) return matrix.floats();
        const FloatMatrix floats = scratch.matrix(matrix.rows(), matrix.columns());
        copy(matrix.bfloats(), floats);
        return floats;
    }

    template <class From, class To>
    void copy(const MatrixView<const From>& from, const MatrixView<To>& to) const {
        threads_.split(to.rows, row_grain(to.columns), [&](std::int64_t first, std::int64_t last) {
            for (std::int64_t r = first; r < last; ++r)
                map_array(to.columns, to.row(r), same, from.row(r));
        });
    }

    std::unique_ptr<MatrixProducts> products_;
    Threads threads_;
    Scratch a_, b_, product_;
};

}  // namespace

std::unique_ptr<MatrixProducts> make_widening_products(std::unique_ptr<MatrixProducts> products,
                                                       Threads threads) {
    return std::make_unique<WideningProducts>(std::move(products), threads);
}

}  // namespace vae_dist
