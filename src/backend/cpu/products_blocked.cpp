#include <fmt/format.h>

#include <Eigen/Core>
#include <algorithm>
#include <vector>

#include "backend/cpu/product_tile.hpp"
#include "backend/cpu/products.hpp"
#include "backend/cpu/scratch.hpp"
#include "vae_dist/core/error.hpp"

namespace vae_dist {

namespace {

using product_tile::Elements;
using product_tile::kColumns;
using product_tile::kLanes;
using product_tile::kRows;

// Blocks that stay in the caches: kDepth rows of b, kBlockColumns wide, in the second (512 KiB); the rows of
// a tile in the first.
constexpr std::int64_t kDepth = 256;
constexpr std::int64_t kBlockColumns = 512;
constexpr std::int64_t kBlockRows = 192;
static_assert(kBlockColumns % kColumns == 0 && kBlockRows % kRows == 0);

Elements elements_of(const Factor& factor) {
    const ConstFloatMatrix& matrix = factor.matrix.floats();
    if (factor.transposed) return {matrix.data, 1, matrix.stride};
    return {matrix.data, matrix.stride, 1};
}

// A product, or a part of it, on one thread (Goto and van de Geijn, 2008: blocks of b and a are copied into
// panels, which tiles read from end to end).
class BlockedProduct {
 public:
    BlockedProduct(const Elements& a, const Elements& b, std::int64_t depth, const float* bias,
                   float* scratch)
        : a_(a),
          b_(b),
          depth_(depth),
          bias_(bias),
          b_panels_(scratch),
          a_panels_(scratch + kDepth * kBlockColumns) {}

    static constexpr std::int64_t kScratch = kDepth * (kBlockColumns + kBlockRows);

    /// Columns [first, last) of the product `c`.
    void compute(const FloatMatrix& c, std::int64_t first, std::int64_t last) {
        for (std::int64_t column = first; column < last; column += kBlockColumns) {
            const std::int64_t columns = std::min(kBlockColumns, last - column);
            for (std::int64_t k = 0; k < depth_; k += kDepth) {
                depth_of_block_ = std::min(kDepth, depth_ - k);
                pack_block(k, column, columns);
                for (std::int64_t row = 0; row < c.rows; row += kBlockRows) {
                    const std::int64_t rows = std::min(kBlockRows, c.rows - row);
                    add_block(k, column, c.row_block(row, rows).column_block(column, columns), row);
                }
            }
        }
    }

 private:
    void pack_block(std::int64_t k, std::int64_t column, std::int64_t columns) {
        for (std::int64_t j = 0; j < columns; j += kColumns) {
            const Elements from = {b_.at(k, column + j), b_.row_step, b_.column_step};
            product_tile::pack_columns(from, depth_of_block_, std::min(kColumns, columns - j),
                                       b_panels_ + j * depth_of_block_);
        }
    }

    // Rows that lie one after another in memory are read where they are.
    Elements rows_of_tile(const Elements& block, std::int64_t first, std::int64_t rows) const {
        if (block.column_step == 1) return {block.at(first, 0), block.row_step, 1};
        return {a_panels_ + first * depth_of_block_, 1, rows};
    }

    void add_block(std::int64_t k, std::int64_t column, const FloatMatrix& c, std::int64_t row) {
        const Elements block = {a_.at(row, k), a_.row_step, a_.column_step};
        if (block.column_step != 1) product_tile::pack_rows(block, c.rows, depth_of_block_, a_panels_);
        for (std::int64_t j = 0; j < c.columns; j += kColumns) {
            const std::int64_t columns = std::min(kColumns, c.columns - j);
            const float* const bias = bias_ == nullptr ? nullptr : bias_ + column + j;
            for (std::int64_t i = 0; i < c.rows; i += kRows) {
                const std::int64_t rows = std::min(kRows, c.rows - i);
                const product_tile::Tile tile = {rows_of_tile(block, i, rows),
                                                 b_panels_ + j * depth_of_block_,
                                                 depth_of_block_,
                                                 c.row(i) + j,
                                                 c.stride,
                                                 k == 0,
                                                 bias};
                if (columns == kColumns || columns == kLanes) {
                    product_tile::run(tile, rows, columns);
                } else {
                    run_narrow(tile, rows, columns);
                }
            }
        }
    }

    // The last columns of a product, in a tile of whole vectors beside it.
    static void run_narrow(product_tile::Tile tile, std::int64_t rows, std::int64_t columns) {
        const std::int64_t width = columns < kLanes ? kLanes : kColumns;
        std::array<float, kRows * kColumns> wide;  // cleared where it is read
        std::array<float, kColumns> bias{};
        const FloatMatrix narrow(tile.c, rows, columns, tile.c_stride);
        if (tile.bias != nullptr) std::copy_n(tile.bias, columns, bias.data());
        if (!tile.begins) {
            wide.fill(0);
            for (std::int64_t i = 0; i < rows; ++i)
                std::copy_n(narrow.row(i), columns, wide.data() + i * width);
        }
        tile.c = wide.data();
        tile.c_stride = width;
        tile.bias = bias.data();
        product_tile::run(tile, rows, width);
        for (std::int64_t i = 0; i < rows; ++i)
            std::copy_n(wide.data() + i * width, columns, narrow.row(i));
    }

    Elements a_;
    Elements b_;
    std::int64_t depth_;
    const float* bias_;
    float* b_panels_;
    float* a_panels_;
    std::int64_t depth_of_block_ = 0;
};

class BlockedProducts final : public MatrixProducts {
 public:
    explicit BlockedProducts(Threads threads)
        : threads_(threads), scratch_(static_cast<std::size_t>(threads.count())) {
        for (Scratch& scratch : scratch_)
            scratch.get<float>(BlockedProduct::kScratch);
    }

    std::string description() const override {
        return fmt::format("own matrix products ({})", Eigen::SimdInstructionSetsInUse());
    }
    bool has_fast_bfloat16() const override { return false; }

    void multiply(const Factor& a, const Factor& b, const float* bias, Operand product) override {
        const FloatMatrix c = product.floats();
        require(!ThreadTeam::is_working(), "a product has the threads for itself");
        require(a.rows() == c.rows && a.columns() == b.rows() && b.columns() == c.columns,
                "shapes of a product agree");
        if (c.size() == 0) return;
        if (a.columns() == 0) return set_rows(c, bias);
        // Each thread has columns of b for itself, and reads all of a; or, where there are few, rows of a.
        const bool by_columns = c.columns >= 2 * kColumns * threads_.count();
        const std::int64_t size = by_columns ? c.columns : c.rows;
        const std::int64_t grain = by_columns ? kColumns : kRows;
        const std::int64_t piece = (size + threads_.count() * grain - 1) / (threads_.count() * grain) * grain;
        threads_.each_with_thread((size + piece - 1) / piece, [&](std::int64_t i, int thread) {
            const std::int64_t first = i * piece;
            const std::int64_t last = std::min(size, first + piece);
            float* const scratch =
                scratch_[static_cast<std::size_t>(thread)].get<float>(BlockedProduct::kScratch);
            if (by_columns) {
                BlockedProduct(elements_of(a), elements_of(b), a.columns(), bias, scratch)
                    .compute(c, first, last);
            } else {
                const Elements all = elements_of(a);
                const Elements rows = {all.at(first, 0), all.row_step, all.column_step};
                BlockedProduct(rows, elements_of(b), a.columns(), bias, scratch)
                    .compute(c.row_block(first, last - first), 0, c.columns);
            }
        });
    }

 private:
    // The sum of no products.
    static void set_rows(const FloatMatrix& c, const float* bias) {
        for (std::int64_t i = 0; i < c.rows; ++i) {
            for (std::int64_t j = 0; j < c.columns; ++j)
                c.row(i)[j] = bias == nullptr ? 0.0F : bias[j];
        }
    }

    Threads threads_;
    std::vector<Scratch> scratch_;  ///< one a thread
};

}  // namespace

int lanes_of_blocked_products() {
    return static_cast<int>(kLanes);
}

std::unique_ptr<MatrixProducts> make_blocked_products(Threads threads) {
    return make_widening_products(std::make_unique<BlockedProducts>(threads), threads);
}

}  // namespace vae_dist
