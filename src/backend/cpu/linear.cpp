#include <algorithm>

#include "backend/cpu/blocks.hpp"
#include "backend/cpu/cpu_backend.hpp"
#include "vae_dist/pointwise/activations.hpp"

namespace vae_dist {

namespace {

template <class T>
MatrixView<const T> view_of(const ConstOperand& matrix) {
    if constexpr (std::is_same_v<T, float>) {
        return matrix.floats();
    } else {
        return matrix.bfloats();
    }
}

// Columns, each of which one thread adds up from the first row to the last.
template <class Body>
void split_columns(const Threads& threads, std::int64_t columns, const Body& body) {
    constexpr std::int64_t kLeastColumns = 64;
    threads.split(columns, kLeastColumns, body);
}

template <class F, class T>
void backward_rows(F f, MatrixView<const T> argument, MatrixView<const T> y, ConstFloatMatrix dvalue,
                   MatrixView<T> dy, float* dbias) {
    constexpr std::int64_t kAtATime = 4;  // rows for which a block of the sums stays in registers
    std::fill_n(dbias, dy.columns, 0.0F);
    for (std::int64_t begin = 0; begin < dy.rows; begin += kAtATime) {
        const std::int64_t end = std::min(begin + kAtATime, dy.rows);
        for_blocks(dy.columns, [&](std::int64_t first, auto count) {
            Block sums = load(dbias + first, count);
            for (std::int64_t r = begin; r < end; ++r) {
                const Block derivative =
                    f.derivative(load(argument.row(r) + first, count), load(y.row(r) + first, count));
                const Block d = load(dvalue.row(r) + first, count) * derivative;
                store(d, dy.row(r) + first, count);
                sums += d;
            }
            store(sums, dbias + first, count);
        });
    }
}

}  // namespace

// Not as a part of the product: the library's relu makes 0 of what is not a number.
void CpuBackend::compute(const Linear& linear, const Arguments& with) {
    const ConstOperand& x = with.inputs[0];
    const ConstOperand& weight = with.inputs[1];
    const float* const bias = with.inputs[2].floats().data;
    const Operand& y = with.outputs[0];
    if (!linear.activation) return products_->multiply({x}, {weight, true}, bias, y);
    const bool keeps = keeps_preactivation(*linear.activation);
    const Operand& to = keeps ? with.outputs[1] : y;
    const FloatMatrix sums = to.is_bfloat16() ? preactivation_.matrix(y.rows(), y.columns()) : to.floats();
    products_->multiply({x}, {weight, true}, bias, sums);
    with_activation(*linear.activation, [&](auto f) {
        const auto value = [](const Block& a) -> Block { return decltype(f)::value(a); };
        y.visit([&](const auto& output) {
            threads_.split(sums.rows, row_grain(sums.columns), [&](std::int64_t first, std::int64_t last) {
                for (std::int64_t r = first; r < last; ++r)
                    map_array(sums.columns, output.row(r), value, sums.row(r));
            });
        });
    });
    if (keeps) round(sums, with.outputs[1]);
}

void CpuBackend::compute(const InputGradient&, const Arguments& with) {
    products_->multiply({with.inputs[0]}, {with.inputs[1]}, nullptr, with.outputs[0]);
}

void CpuBackend::compute(const WeightGradient&, const Arguments& with) {
    products_->multiply({with.inputs[0], true}, {with.inputs[1]}, nullptr, with.outputs[0]);
}

void CpuBackend::compute(const ActivationGradient& gradient, const Arguments& with) {
    const ConstFloatMatrix dvalue = with.inputs[0].floats();
    const ConstOperand& y = with.inputs[1];
    const ConstOperand& argument = keeps_preactivation(gradient.activation) ? with.inputs[2] : y;
    float* const dbias = with.outputs[1].floats().data;
    with_activation(gradient.activation, [&](auto f) {
        with.outputs[0].visit([&]<class T>(const MatrixView<T>& dy) {
            const auto a = view_of<T>(argument);
            const auto b = view_of<T>(y);
            split_columns(threads_, dy.columns, [&](std::int64_t first, std::int64_t last) {
                const std::int64_t count = last - first;
                backward_rows(f, a.column_block(first, count), b.column_block(first, count),
                              dvalue.column_block(first, count), dy.column_block(first, count),
                              dbias + first);
            });
        });
    });
}

void CpuBackend::compute(const ColumnSums&, const Arguments& with) {
    float* const sums = with.outputs[0].floats().data;
    with.inputs[0].visit([&](const auto& matrix) {
        split_columns(threads_, matrix.columns, [&](std::int64_t first, std::int64_t last) {
            std::fill(sums + first, sums + last, 0.0F);
            for (std::int64_t r = 0; r < matrix.rows; ++r)
                map_array(last - first, sums + first, plus, sums + first, matrix.row(r) + first);
        });
    });
}

}  // namespace vae_dist
