#include <cmath>
#include <optional>

#include "operation_suite.hpp"
#include "vae_dist/config/names.hpp"

namespace vae_dist {
namespace {

std::vector<Activation> all_activations() {
    std::vector<Activation> all(kActivationNames.size());
    for (std::size_t i = 0; i < all.size(); ++i)
        all[i] = static_cast<Activation>(i);
    return all;
}

double reference(Activation activation, double x) {
    switch (activation) {
        case Activation::relu:
            return x < 0 ? 0 : x;
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

// The derivative where it depends on the argument: by a central difference.
double reference_derivative(Activation activation, double before, double y) {
    switch (activation) {
        case Activation::relu:
            return y > 0 ? 1 : 0;
        case Activation::tanh:
            return 1 - y * y;
        case Activation::softplus:
            return 1 - std::exp(-y);
        case Activation::elu:
            return y > 0 ? 1 : y + 1;
        case Activation::gelu:
        case Activation::silu:
            break;
    }
    const double h = 1e-5;
    return (reference(activation, before + h) - reference(activation, before - h)) / (2 * h);
}

OperationCase linear_case(std::optional<Activation> activation) {
    const bool keeps = activation && keeps_preactivation(*activation);
    return {.operation = Linear{.activation = activation},
            .variant = activation ? name_of(*activation) : "",
            .inputs = [](const Sizes& sizes) -> std::vector<CaseInput> {
                return {normal_input(sample_shape(sizes.inner)),
                        normal_input(fixed_shape(sizes.columns, sizes.inner), 0.3F),
                        normal_input(fixed_shape(1, sizes.columns))};
            },
            .outputs =
                [=](NumbersView inputs, const Pass&) {
                    const Numbers& x = inputs[0];
                    const Numbers& weight = inputs[1];
                    Numbers before(x.rows, weight.rows);
                    Numbers y(x.rows, weight.rows);
                    for (std::int64_t r = 0; r < y.rows; ++r) {
                        for (std::int64_t c = 0; c < y.columns; ++c) {
                            double sum = inputs[2](0, c);
                            for (std::int64_t i = 0; i < x.columns; ++i)
                                sum += x(r, i) * weight(c, i);
                            before(r, c) = sum;
                            y(r, c) = activation ? reference(*activation, sum) : sum;
                        }
                    }
                    return keeps ? std::vector{y, before} : std::vector{y};
                },
            .tolerance = 1e-5,
            .rules = {RuleCase{}}};
}

OperationCase activation_gradient_case(Activation activation) {
    const bool keeps = keeps_preactivation(activation);
    return {.operation = ActivationGradient{.activation = activation},
            .variant = name_of(activation),
            .inputs =
                [=](const Sizes& sizes) {
                    return std::vector<CaseInput>(keeps ? 3 : 2, normal_input(sample_shape(sizes.columns)));
                },
            .outputs =
                [=](NumbersView inputs, const Pass&) {
                    Numbers dy = inputs[0];
                    Numbers dbias(1, dy.columns);
                    for (std::int64_t r = 0; r < dy.rows; ++r) {
                        for (std::int64_t c = 0; c < dy.columns; ++c) {
                            dy(r, c) *= reference_derivative(activation, keeps ? inputs[2](r, c) : 0,
                                                             inputs[1](r, c));
                            dbias(0, c) += dy(r, c);
                        }
                    }
                    return std::vector{dy, dbias};
                },
            .tolerance = 5e-6};
}

OperationCase column_sums_case() {
    return {
        .operation = ColumnSums{},
        .inputs = [](const Sizes& sizes) { return std::vector{normal_input(sample_shape(sizes.columns))}; },
        .outputs =
            [](NumbersView inputs, const Pass&) {
                Numbers sums(1, inputs[0].columns);
                for (std::int64_t r = 0; r < inputs[0].rows; ++r)
                    for (std::int64_t c = 0; c < sums.columns; ++c)
                        sums(0, c) += inputs[0](r, c);
                return std::vector{sums};
            }};
}

OperationCase weight_gradient_case() {
    return {.operation = WeightGradient{},
            .inputs =
                [](const Sizes& sizes) {
                    return std::vector{normal_input(sample_shape(sizes.columns)),
                                       normal_input(sample_shape(sizes.inner))};
                },
            .outputs =
                [](NumbersView inputs, const Pass&) {
                    const Numbers& dy = inputs[0];
                    const Numbers& x = inputs[1];
                    Numbers dweight(dy.columns, x.columns);
                    for (std::int64_t r = 0; r < dy.rows; ++r)
                        for (std::int64_t c = 0; c < dy.columns; ++c)
                            for (std::int64_t i = 0; i < x.columns; ++i)
                                dweight(c, i) += dy(r, c) * x(r, i);
                    return std::vector{dweight};
                },
            .tolerance = 5e-6};
}

OperationCase input_gradient_case() {
    return {.operation = InputGradient{},
            .inputs =
                [](const Sizes& sizes) {
                    return std::vector{normal_input(sample_shape(sizes.columns)),
                                       normal_input(fixed_shape(sizes.columns, sizes.inner))};
                },
            .outputs =
                [](NumbersView inputs, const Pass&) {
                    const Numbers& dy = inputs[0];
                    const Numbers& weight = inputs[1];
                    Numbers dx(dy.rows, weight.columns);
                    for (std::int64_t r = 0; r < dy.rows; ++r)
                        for (std::int64_t c = 0; c < dy.columns; ++c)
                            for (std::int64_t i = 0; i < weight.columns; ++i)
                                dx(r, i) += dy(r, c) * weight(c, i);
                    return std::vector{dx};
                },
            .tolerance = 2e-5};
}

const OperationFamily linear_family("linear", [] {
    std::vector<OperationCase> cases = {linear_case({}), column_sums_case(), weight_gradient_case(),
                                        input_gradient_case()};
    for (const Activation activation : all_activations()) {
        cases.push_back(linear_case(activation));
        cases.push_back(activation_gradient_case(activation));
    }
    return cases;
});

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
    for (const Activation activation : all_activations()) {
        SCOPED_TRACE(name_of(activation));
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
    for (const Activation activation : all_activations()) {
        SCOPED_TRACE(name_of(activation));
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

// The last elements of a row, alone in the first block of another: the same bits.
TEST_P(BackendTest, ActivationsDoNotDependOnWhereAnElementLies) {
    for (const Activation activation : all_activations()) {
        SCOPED_TRACE(name_of(activation));
        const std::vector<float> values = normal_values(37, 1, 2);
        const auto whole = Activated(backend(), activation, values).y.get();
        const auto tail = Activated(backend(), activation, {values.end() - 3, values.end()}).y.get();
        for (std::size_t i = 0; i < 3; ++i)
            EXPECT_EQ(tail[i], whole[34 + i]);
    }
}

}  // namespace
}  // namespace vae_dist
