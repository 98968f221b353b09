#include "backend/cuda/cuda_backend.hpp"
#include "backend/cuda/functions.hpp"
#include "backend/cuda/sums.hpp"

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
void CudaBackend::linear(ConstOperand x, ConstOperand weight, const float* bias, const Activation* activation,
                         Operand before, Operand y) {
    if (activation == nullptr && !y.is_bfloat16())
        return products_.multiply({x}, {weight, true}, bias, y.floats());
    const FloatMatrix sums(scratch_.products.get<float>(y.rows() * y.columns()), y.rows(), y.columns());
    if (activation == nullptr) {
        products_.multiply({x}, {weight, true}, bias, sums);
        return convert(sums, y);
    }
    products_.multiply({x}, {weight, true}, nullptr, sums);
    const ConstFloats added(bias, y.columns());
    with_device_activation(*activation, [&]<class F>(F) {
        with_kept(keeps_preactivation(*activation), [&](auto keeps) {
            y.visit([&]<class T>(const MatrixView<T>& output) {
                constexpr bool kKeeps = decltype(keeps)::value;
                const Rows<T> kept = kKeeps ? rows_of<T>(before) : Rows<T>();
                run_groups(queue_, sums.rows, sums.columns,
                           Activate<F, T, kKeeps>{ConstFloatMatrix(sums), added, kept, output});
            });
        });
    });
}

void CudaBackend::linear_backward_input(ConstOperand dy, ConstOperand weight, FloatMatrix dx) {
    products_.multiply({dy}, {weight}, nullptr, dx);
}

void CudaBackend::linear_backward_weight(ConstOperand dy, ConstOperand x, FloatMatrix dweight) {
    if (dy.rows() == 0) {
        for (std::int64_t row = 0; row < dweight.rows; ++row)
            fill({dweight.row(row), static_cast<std::size_t>(dweight.columns)}, 0);
        return;
    }
    products_.multiply({dy, true}, {x}, nullptr, dweight);
}

void CudaBackend::activation_backward(Activation activation, ConstOperand before, ConstOperand y,
                                      ConstFloatMatrix dvalue, Operand dy, float* dbias) {
    with_device_activation(activation, [&]<class F>(F) {
        with_kept(keeps_preactivation(activation), [&](auto keeps) {
            dy.visit([&]<class T>(const MatrixView<T>& gradient) {
                constexpr bool kKeeps = decltype(keeps)::value;
                const Rows<const T> argument = kKeeps ? rows_of<T>(before) : Rows<const T>();
                sum_columns(queue_, scratch_.partial_sums, gradient.rows, gradient.columns,
                            Derive<F, T, kKeeps>{argument, rows_of<T>(y), dvalue, gradient}, StoreSum{dbias});
            });
        });
    });
}

void CudaBackend::column_sums(ConstOperand values, float* sums) {
    values.visit([&]<class T>(const MatrixView<const T>& matrix) {
        sum_columns(queue_, scratch_.partial_sums, matrix.rows, matrix.columns, Term<T>{matrix},
                    StoreSum{sums});
    });
}

}  // namespace vae_dist
