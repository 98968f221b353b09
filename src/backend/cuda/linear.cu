#include "backend/cuda/cuda_backend.hpp"
#include "backend/cuda/sums.hpp"
#include "vae_dist/pointwise/activations.hpp"

namespace vae_dist {

namespace {

/// y = f(sums + bias), and before = sums + bias where it is kept.
template <class F, class T, bool kKeeps>
struct Activate {
    ConstFloats sums, bias;
    Rows<T> before, y;
    __device__ void operator()(std::int64_t row, std::int64_t column) const {
        Four argument = sums.load(row, column);
        const Four added = bias.load(0, column);
        Four value;
        for (int i = 0; i < kGroup; ++i) {
            argument.v[i] += added.v[i];
            value.v[i] = F::value(argument.v[i]);
        }
        if constexpr (kKeeps) before.store(row, column, argument);
        y.store(row, column, value);
    }
};

/// dy = dvalue * f', of which the terms of the columns' sums are.
template <class F, class T, bool kKeeps>
struct Derive {
    Rows<const T> before, y;
    ConstFloats dvalue;
    Rows<T> dy;
    __device__ Four operator()(std::int64_t row, std::int64_t column) const {
        const Four value = y.load(row, column);
        Four argument = value;
        if constexpr (kKeeps) argument = before.load(row, column);
        Four d = dvalue.load(row, column);
        for (int i = 0; i < kGroup; ++i)
            d.v[i] *= F::derivative(argument.v[i], value.v[i]);
        dy.store(row, column, d);
        return d;
    }
};

template <class T>
struct Term {
    Rows<const T> values;
    __device__ Four operator()(std::int64_t row, std::int64_t column) const {
        return values.load(row, column);
    }
};

template <class T>
Rows<const T> rows_of(const ConstOperand& operand) {
    if constexpr (sizeof(T) == sizeof(float)) {
        return operand.floats();
    } else {
        return operand.bfloats();
    }
}
template <class T>
Rows<T> rows_of(const Operand& operand) {
    if constexpr (sizeof(T) == sizeof(float)) {
        return operand.floats();
    } else {
        return operand.bfloats();
    }
}

/// Calls body with std::true_type where the activation's argument is kept, else with std::false_type.
template <class Body>
void with_kept(bool keeps, const Body& body) {
    if (keeps) return body(std::true_type());
    body(std::false_type());
}

}  // namespace

// An activation is not part of the product: what the library's own makes of NaN is not known.
void CudaBackend::compute(const Linear& linear, const Arguments& with) {
    const ConstOperand& x = with.inputs[0];
    const ConstOperand& weight = with.inputs[1];
    const float* const bias = with.inputs[2].floats().data;
    const Operand& y = with.outputs[0];
    if (!linear.activation && !y.is_bfloat16())
        return products_.multiply({x}, {weight, true}, bias, y.floats());
    const FloatMatrix sums(scratch_.products.get<float>(y.rows() * y.columns()), y.rows(), y.columns());
    if (!linear.activation) {
        products_.multiply({x}, {weight, true}, bias, sums);
        return round(sums, y);
    }
    products_.multiply({x}, {weight, true}, nullptr, sums);
    const ConstFloats added(bias, y.columns());
    with_activation(*linear.activation, [&]<class F>(F) {
        with_kept(keeps_preactivation(*linear.activation), [&](auto keeps) {
            y.visit([&]<class T>(const MatrixView<T>& output) {
                constexpr bool kKeeps = decltype(keeps)::value;
                const Rows<T> kept = kKeeps ? rows_of<T>(with.outputs[1]) : Rows<T>();
                run_groups(queue_, sums.rows, sums.columns,
                           Activate<F, T, kKeeps>{ConstFloatMatrix(sums), added, kept, output});
            });
        });
    });
}

void CudaBackend::compute(const InputGradient&, const Arguments& with) {
    products_.multiply({with.inputs[0]}, {with.inputs[1]}, nullptr, with.outputs[0].floats());
}

void CudaBackend::compute(const WeightGradient&, const Arguments& with) {
    const FloatMatrix dweight = with.outputs[0].floats();
    if (with.inputs[0].rows() == 0) {
        for (std::int64_t row = 0; row < dweight.rows; ++row)
            fill({dweight.row(row), static_cast<std::size_t>(dweight.columns)}, 0);
        return;
    }
    products_.multiply({with.inputs[0], true}, {with.inputs[1]}, nullptr, dweight);
}

void CudaBackend::compute(const ActivationGradient& gradient, const Arguments& with) {
    const ConstFloatMatrix dvalue = with.inputs[0].floats();
    const ConstOperand& y = with.inputs[1];
    float* const dbias = with.outputs[1].floats().data;
    with_activation(gradient.activation, [&]<class F>(F) {
        with_kept(keeps_preactivation(gradient.activation), [&](auto keeps) {
            with.outputs[0].visit([&]<class T>(const MatrixView<T>& dy) {
                constexpr bool kKeeps = decltype(keeps)::value;
                const Rows<const T> argument = kKeeps ? rows_of<T>(with.inputs[2]) : Rows<const T>();
                sum_columns(queue_, scratch_.partial_sums, dy.rows, dy.columns,
                            Derive<F, T, kKeeps>{argument, rows_of<T>(y), dvalue, dy}, StoreSum{dbias});
            });
        });
    });
}

void CudaBackend::compute(const ColumnSums&, const Arguments& with) {
    float* const sums = with.outputs[0].floats().data;
    with.inputs[0].visit([&]<class T>(const MatrixView<const T>& matrix) {
        sum_columns(queue_, scratch_.partial_sums, matrix.rows, matrix.columns, Term<T>{matrix},
                    StoreSum{sums});
    });
}

}  // namespace vae_dist
