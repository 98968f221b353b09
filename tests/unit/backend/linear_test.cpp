#include <cmath>
#include <limits>

#include "backend_suite.hpp"

namespace vae_dist {
namespace {

const std::vector<Activation> kActivations = {Activation::relu, Activation::tanh,     Activation::gelu,
                                              Activation::silu, Activation::softplus, Activation::elu};

double reference(Activation activation, double x) {
    switch (activation) {
        case Activation::relu:
            return x > 0 ? x : 0;
        case Activation::tanh:
            return std::tanh(x);
        case Activation::gelu:
            return 0.5 * x * std::erfc(-x / std::sqrt(2.0));
        case Activation::silu:
            return x / (1 + std::exp(-x));
        case Activation::softplus:
            return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x));
        case Activation::elu:
            return x > 0 ? x : std::expm1(x);
    }
    return 0;
}

// Factors are numbers of bfloat16 where exact products are asked for: TF32 keeps those as they are.

// Applies `activation` to a row of values as a backend does it: by a layer that they are the weights of, to
// an input 1.
struct Activated {
    Tensor before, y;

    Activated(Backend& backend, Activation activation, const std::vector<float>& values,
              MemoryPlace place = {})
        : before(backend, 1, std::ssize(values), place), y(backend, 1, std::ssize(values), place) {
        const Tensor x(backend, 1, 1, std::vector{1.0F});
        const Tensor weight(backend, std::ssize(values), 1, values, {0, place.offset});
        const Tensor bias(backend, 1, std::ssize(values), std::vector<float>(values.size(), 0), place);
        run_operation(backend, Linear{activation}, {x.view(), weight.view(), bias.view()},
                      {y.view(), before.view()});
    }
};

TEST_P(BackendTest, LinearAddsTheBiasAndActivates) {
    for_shapes([&](std::int64_t rows, std::int64_t columns, MemoryPlace place) {
        const std::int64_t inputs = 7;
        const auto x = rounded(normal_values(rows * inputs, 1));
        const auto weight = rounded(normal_values(columns * inputs, 2, 0.3F));
        const auto bias = normal_values(columns, 3);
        const Tensor x_tensor(backend(), rows, inputs, x, place);
        const Tensor weight_tensor(backend(), columns, inputs, weight);
        const Tensor bias_tensor(backend(), 1, columns, bias);
        std::vector<double> expected;
        for (std::size_t r = 0; r < static_cast<std::size_t>(rows); ++r) {
            for (std::size_t c = 0; c < static_cast<std::size_t>(columns); ++c) {
                double sum = bias[c];
                for (std::size_t i = 0; i < 7; ++i)
                    sum += static_cast<double>(x[r * 7 + i]) * weight[c * 7 + i];
                expected.push_back(sum);
            }
        }
        const Tensor plain(backend(), rows, columns, place);
        run_operation(backend(), Linear{}, {x_tensor.view(), weight_tensor.view(), bias_tensor.view()},
                      {plain.view()});
        expect_near(plain.get(), expected, 1e-6);
        for (const Activation activation : kActivations) {
            SCOPED_TRACE(static_cast<int>(activation));
            const Tensor before(backend(), rows, columns, place);
            const Tensor y(backend(), rows, columns, place);
            run_operation(backend(), Linear{activation},
                          {x_tensor.view(), weight_tensor.view(), bias_tensor.view()},
                          {y.view(), before.view()});
            if (keeps_preactivation(activation)) {
                expect_near(before.get(), expected, 1e-6);
            } else {
                for (const float value : before.get())
                    ASSERT_EQ(value, kUntouched);
            }
            std::vector<double> activated;
            for (const double value : expected)
                activated.push_back(reference(activation, value));
            expect_near(y.get(), activated, 2e-6);
        }
    });
}

TEST_P(BackendTest, LinearBackwardGivesTheGradientsOfALayer) {
    for_shapes([&](std::int64_t rows, std::int64_t columns, MemoryPlace place) {
        const std::int64_t inputs = 5;
        const auto x = rounded(normal_values(rows * inputs, 1));
        const auto weight = rounded(normal_values(columns * inputs, 2));
        const auto dy = rounded(normal_values(rows * columns, 3));
        std::vector<double> dx(static_cast<std::size_t>(rows * inputs));
        std::vector<double> dweight(static_cast<std::size_t>(columns * inputs));
        std::vector<double> dbias(static_cast<std::size_t>(columns));
        for (std::size_t r = 0; r < static_cast<std::size_t>(rows); ++r) {
            for (std::size_t c = 0; c < dbias.size(); ++c) {
                const double d = dy[r * dbias.size() + c];
                dbias[c] += d;
                for (std::size_t i = 0; i < 5; ++i) {
                    dx[r * 5 + i] += d * weight[c * 5 + i];
                    dweight[c * 5 + i] += d * x[r * 5 + i];
                }
            }
        }
        const Tensor dy_tensor(backend(), rows, columns, dy, place);
        const Tensor x_tensor(backend(), rows, inputs, x, place);
        const Tensor weight_tensor(backend(), columns, inputs, weight);
        const Tensor dx_tensor(backend(), rows, inputs, place);
        const Tensor dweight_tensor(backend(), columns, inputs);
        const Tensor dbias_tensor(backend(), 1, columns);
        run_operation(backend(), InputGradient{}, {dy_tensor.view(), weight_tensor.view()},
                      {dx_tensor.view()});
        run_operation(backend(), WeightGradient{}, {dy_tensor.view(), x_tensor.view()},
                      {dweight_tensor.view()});
        run_operation(backend(), ColumnSums{}, {dy_tensor.view()}, {dbias_tensor.view()});
        expect_near(dx_tensor.get(), dx, 2e-5);
        expect_near(dweight_tensor.get(), dweight, 2e-6);
        expect_near(dbias_tensor.get(), dbias, 2e-6);
    });
}

// TF32 has ten bits of fraction: each factor is off by half of the last at most.
TEST_P(BackendTest, ProductsOfFloatsAreAtLeastAsPreciseAsTf32) {
    const std::int64_t inputs = 100;
    const auto x = normal_values(3 * inputs, 1);
    const auto weight = normal_values(9 * inputs, 2);
    const Tensor y(backend(), 3, 9);
    run_operation(backend(), Linear{},
                  {Tensor(backend(), 3, inputs, x).view(), Tensor(backend(), 9, inputs, weight).view(),
                   Tensor(backend(), 1, 9, std::vector<float>(9, 0)).view()},
                  {y.view()});
    const std::vector<float> sums = y.get();
    for (std::size_t r = 0; r < 3; ++r) {
        for (std::size_t c = 0; c < 9; ++c) {
            double exact = 0;
            double size = 0;
            for (std::size_t i = 0; i < 100; ++i) {
                const double term = static_cast<double>(x[r * 100 + i]) * weight[c * 100 + i];
                exact += term;
                size += std::abs(term);
            }
            EXPECT_NEAR(sums[r * 9 + c], exact, 1.1 * 0x1p-10 * size);
        }
    }
}

TEST_P(BackendTest, ActivationsHoldFarFromZero) {
    const std::vector<float> x = {-1e4F, -100,  -30, -10, -6, -5, -4, -3,  -1,  -1e-3F,
                                  0,     1e-3F, 1,   3,   4,  5,  30, 100, 1e4F};
    for (const Activation activation : kActivations) {
        SCOPED_TRACE(static_cast<int>(activation));
        std::vector<double> expected;
        for (const float value : x)
            expected.push_back(reference(activation, value));
        expect_near(Activated(backend(), activation, x).y.get(), expected, 1e-6);
    }
}

TEST_P(BackendTest, ActivationBackwardIsTheDerivative) {
    // Not 0, where relu has none.
    const std::vector<float> x = rounded(
        {-40, -9, -5, -3.5F, -2, -1.1F, -0.5F, -0.01F, 0.01F, 0.4F, 0.9F, 1.5F, 2.5F, 3.7F, 5, 8, 40});
    for (const Activation activation : kActivations) {
        SCOPED_TRACE(static_cast<int>(activation));
        const Activated at(backend(), activation, x, {2, 1});
        const Tensor dy(backend(), 1, std::ssize(x), std::vector<float>(x.size(), 3), {2, 1});
        const Tensor dbias(backend(), 1, std::ssize(x));
        run_operation(
            backend(), ActivationGradient{activation},
            {dy.view(), at.y.view(), keeps_preactivation(activation) ? at.before.view() : FloatMatrix()},
            {dy.view(), dbias.view()});
        std::vector<double> expected;
        for (const double value : x) {
            const double h = 1e-5;
            expected.push_back(3 * (reference(activation, value + h) - reference(activation, value - h)) /
                               (2 * h));
        }
        expect_near(dy.get(), expected, 3e-6);
    }
}

TEST_P(BackendTest, ActivationBackwardTakesMatricesOfAllShapes) {
    for_shapes([&](std::int64_t rows, std::int64_t columns, MemoryPlace place) {
        const auto y = normal_values(rows * columns, 1);
        const auto d = normal_values(rows * columns, 2);
        const Tensor y_tensor(backend(), rows, columns, y, place);
        const Tensor dy(backend(), rows, columns, d, place);
        const Tensor dbias(backend(), 1, columns);
        run_operation(backend(), ActivationGradient{Activation::tanh}, {dy.view(), y_tensor.view()},
                      {dy.view(), dbias.view()});
        std::vector<double> expected;
        std::vector<double> sums(static_cast<std::size_t>(columns));
        for (std::size_t i = 0; i < y.size(); ++i) {
            expected.push_back(d[i] * (1 - static_cast<double>(y[i]) * y[i]));
            sums[i % sums.size()] += expected.back();
        }
        expect_near(dy.get(), expected, 1e-6);
        expect_near(dbias.get(), sums, 2e-6);
    });
}

TEST_P(BackendTest, NotANumberStaysVisible) {
    const float nan = std::numeric_limits<float>::quiet_NaN();
    for (const Activation activation : kActivations) {
        SCOPED_TRACE(static_cast<int>(activation));
        const auto y = Activated(backend(), activation, std::vector<float>(17, nan)).y.get();
        for (const float value : y)
            EXPECT_TRUE(std::isnan(value));
    }
}

TEST_P(BackendTest, ActivationsDoNotDependOnWhereAnElementLies) {
    for (const Activation activation : kActivations) {
        SCOPED_TRACE(static_cast<int>(activation));
        const std::vector<float> values = normal_values(37, 1, 2);
        expect_same_bits_everywhere([&](std::int64_t offset) {
            const MemoryPlace place{0, offset};
            const Activated at(backend(), activation, values, place);
            const Tensor dy(backend(), 1, 37, normal_values(37, 2), place);
            const Tensor dbias(backend(), 1, 37, place);
            run_operation(backend(), ActivationGradient{activation},
                          {dy.view(), at.y.view(), at.before.view()}, {dy.view(), dbias.view()});
            std::vector<float> all = at.y.get();
            append(all, dy.get());
            append(all, dbias.get());
            return all;
        });
        // The last elements of a row, alone in the first block of another: the same bits.
        const auto whole = Activated(backend(), activation, values).y.get();
        const auto tail = Activated(backend(), activation, {values.end() - 3, values.end()}).y.get();
        for (std::size_t i = 0; i < 3; ++i)
            EXPECT_EQ(tail[i], whole[34 + i]);
    }
}

}  // namespace
}  // namespace vae_dist
