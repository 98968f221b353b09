#include <cmath>
#include <limits>

#include "backend_suite.hpp"

namespace vae_dist {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

TEST(BFloat16, RoundsToNearestAndTiesToEven) {
    const auto round = [](float value) { return to_float(to_bfloat16(value)); };
    EXPECT_EQ(round(1), 1);
    EXPECT_EQ(round(1 + 0x1p-8F), 1);                       // a tie: to 1 + 0
    EXPECT_EQ(round(1 + 0x1p-8F + 0x1p-23F), 1 + 0x1p-7F);  // above it
    EXPECT_EQ(round(1 + 0x3p-8F), 1 + 0x1p-6F);             // a tie: to 1 + 2/128
    EXPECT_EQ(round(-1 - 0x3p-8F), -1 - 0x1p-6F);
    EXPECT_EQ(round(0x1p-133F), 0x1p-133F);  // the smallest bfloat16
    EXPECT_EQ(round(0x1p-149F), 0);
    EXPECT_EQ(round(std::numeric_limits<float>::max()), kInfinity);
    EXPECT_EQ(round(-kInfinity), -kInfinity);
    EXPECT_TRUE(std::signbit(round(-0.0F)));
}

TEST(BFloat16, WhatIsNotANumberStaysSo) {
    for (const std::uint32_t bits : {0x7FC00000U, 0x7F800001U, 0x7FFFFFFFU, 0xFFFFFFFFU, 0xFF800001U})
        EXPECT_TRUE(std::isnan(to_float(to_bfloat16(std::bit_cast<float>(bits))))) << std::hex << bits;
}

// Also with what rounds up to the next power of two, to infinity and from not a number.
std::vector<float> telling_values(std::int64_t count) {
    std::vector<float> values = normal_values(count, 1, 100);
    const float special[] = {kNan, kInfinity, -kInfinity, 0x1.FFFFFEp3F, 1 + 0x1p-8F, -0.0F, 1e-42F, 3e38F};
    for (std::size_t i = 0; i < values.size(); i += 2)
        values[i] = special[i / 2 % std::size(special)];
    return values;
}

void expect_same_numbers(const std::vector<float>& actual, const std::vector<float>& expected) {
    ASSERT_EQ(actual.size(), expected.size());
    for (std::size_t i = 0; i < actual.size(); ++i) {
        if (std::isnan(expected[i])) {
            EXPECT_TRUE(std::isnan(actual[i])) << "at " << i;
        } else {
            EXPECT_EQ(actual[i], expected[i]) << "at " << i;
        }
    }
}

TEST_P(BackendTest, ConvertRoundsEachElementOnce) {
    for_shapes([&](std::int64_t rows, std::int64_t columns, MemoryPlace place) {
        const auto values = telling_values(rows * columns);
        const Tensor from(backend(), rows, columns, values, place);
        const HalfTensor half(backend(), rows, columns, place);
        const Tensor same(backend(), rows, columns, place);
        run_operation(backend(), Round{}, {from.view()}, {half.view()});
        run_operation(backend(), Round{}, {from.view()}, {same.view()});
        expect_same_numbers(half.get(), rounded(values));
        expect_same_numbers(same.get(), values);
        run_operation(backend(), Round{}, {from.view()}, {from.view()});
        expect_same_numbers(from.get(), values);
    });
}

TEST_P(BackendTest, ArraysGoToBFloat16AndAreAdded) {
    for (const std::int64_t size : {1, 15, 16, 33, 784, 40000}) {
        const auto values = telling_values(size);
        const auto to_add = normal_values(size, 2);
        const Tensor from(backend(), 1, size, values);
        const HalfTensor half(backend(), 1, size);
        const Tensor sums(backend(), 1, size, to_add);
        backend().to_bfloat16(from.span(), half.span());
        backend().add_bfloat16(half.span(), sums.span());
        std::vector<float> expected = rounded(values);
        expect_same_numbers(half.get(), expected);
        for (std::size_t i = 0; i < expected.size(); ++i)
            expected[i] += to_add[i];
        expect_same_numbers(sums.get(), expected);
    }
}

// The sums are of the rounded operands, exact products and in float; against loops in double.
TEST_P(BackendTest, LinearTakesAndGivesBFloat16) {
    for_shapes([&](std::int64_t rows, std::int64_t columns, MemoryPlace place) {
        const std::int64_t inputs = 37;
        const auto x = rounded(normal_values(rows * inputs, 1));
        const auto weight = rounded(normal_values(columns * inputs, 2, 0.3F));
        const auto bias = normal_values(columns, 3);
        const HalfTensor x_tensor(backend(), rows, inputs, x, place);
        const HalfTensor weight_tensor(backend(), columns, inputs, weight);
        const Tensor bias_tensor(backend(), 1, columns, bias);
        std::vector<double> expected;
        for (std::size_t i = 0; i < static_cast<std::size_t>(rows * columns); ++i) {
            const std::size_t r = i / bias.size();
            const std::size_t c = i % bias.size();
            double sum = bias[c];
            for (std::size_t k = 0; k < 37; ++k)
                sum += static_cast<double>(x[r * 37 + k]) * weight[c * 37 + k];
            expected.push_back(sum);
        }
        const Tensor wide(backend(), rows, columns, place);
        const HalfTensor narrow(backend(), rows, columns, place);
        const HalfTensor before(backend(), rows, columns, place);
        const HalfTensor y(backend(), rows, columns, place);
        const Activation relu = Activation::relu;
        const Activation silu = Activation::silu;
        run_operation(backend(), Linear{}, {x_tensor.view(), weight_tensor.view(), bias_tensor.view()},
                      {wide.view()});
        run_operation(backend(), Linear{}, {x_tensor.view(), weight_tensor.view(), bias_tensor.view()},
                      {narrow.view()});
        expect_near(wide.get(), expected, 1e-5);
        expect_near(narrow.get(), expected, kHalfRounding);
        run_operation(backend(), Linear{silu}, {x_tensor.view(), weight_tensor.view(), bias_tensor.view()},
                      {y.view(), before.view()});
        expect_near(before.get(), expected, kHalfRounding);
        std::vector<double> activated;
        for (const double value : expected)
            activated.push_back(value / (1 + std::exp(-value)));
        expect_near(y.get(), activated, kHalfRounding);
        run_operation(backend(), Linear{relu}, {x_tensor.view(), weight_tensor.view(), bias_tensor.view()},
                      {y.view()});
        for (double& value : expected)
            value = std::max(value, 0.0);
        expect_near(y.get(), expected, kHalfRounding);
    });
}

TEST_P(BackendTest, LinearBackwardTakesBFloat16) {
    for_shapes([&](std::int64_t rows, std::int64_t columns, MemoryPlace place) {
        const std::int64_t inputs = 19;
        const auto x = rounded(normal_values(rows * inputs, 1));
        const auto weight = rounded(normal_values(columns * inputs, 2));
        const auto dy = rounded(normal_values(rows * columns, 3));
        std::vector<double> dx(static_cast<std::size_t>(rows * inputs));
        std::vector<double> dweight(static_cast<std::size_t>(columns * inputs));
        std::vector<double> sums(static_cast<std::size_t>(columns));
        for (std::size_t i = 0; i < dy.size(); ++i) {
            const std::size_t r = i / sums.size();
            const std::size_t c = i % sums.size();
            sums[c] += dy[i];
            for (std::size_t k = 0; k < 19; ++k) {
                dx[r * 19 + k] += static_cast<double>(dy[i]) * weight[c * 19 + k];
                dweight[c * 19 + k] += static_cast<double>(dy[i]) * x[r * 19 + k];
            }
        }
        const HalfTensor dy_tensor(backend(), rows, columns, dy, place);
        const HalfTensor x_tensor(backend(), rows, inputs, x, place);
        const HalfTensor weight_tensor(backend(), columns, inputs, weight);
        const Tensor dx_tensor(backend(), rows, inputs, place);
        const Tensor dweight_tensor(backend(), columns, inputs);
        const Tensor sums_tensor(backend(), 1, columns);
        run_operation(backend(), InputGradient{}, {dy_tensor.view(), weight_tensor.view()},
                      {dx_tensor.view()});
        run_operation(backend(), WeightGradient{}, {dy_tensor.view(), x_tensor.view()},
                      {dweight_tensor.view()});
        run_operation(backend(), ColumnSums{}, {dy_tensor.view()}, {sums_tensor.view()});
        expect_near(dx_tensor.get(), dx, 2e-5);
        expect_near(dweight_tensor.get(), dweight, 2e-6);
        expect_near(sums_tensor.get(), sums, 2e-6);
    });
}

// What is rounded is the gradient alone: the bias's is that of a float pass with the same y.
TEST_P(BackendTest, ActivationBackwardRoundsItsGradientOnce) {
    for_shapes([&](std::int64_t rows, std::int64_t columns, MemoryPlace place) {
        for (const Activation activation : {Activation::relu, Activation::tanh, Activation::gelu}) {
            const auto argument = rounded(normal_values(rows * columns, 1));
            const auto y = rounded(normal_values(rows * columns, 2));
            const Tensor dvalue(backend(), rows, columns, normal_values(rows * columns, 3), place);
            const Tensor wide_argument(backend(), rows, columns, argument, place);
            const Tensor wide_y(backend(), rows, columns, y, place);
            const HalfTensor half_argument(backend(), rows, columns, argument, place);
            const HalfTensor half_y(backend(), rows, columns, y, place);
            const Tensor wide(backend(), rows, columns, place);
            const HalfTensor half(backend(), rows, columns, place);
            const Tensor wide_bias(backend(), 1, columns);
            const Tensor half_bias(backend(), 1, columns);
            run_operation(backend(), ActivationGradient{activation},
                          {dvalue.view(), wide_y.view(), wide_argument.view()},
                          {wide.view(), wide_bias.view()});
            run_operation(backend(), ActivationGradient{activation},
                          {dvalue.view(), half_y.view(), half_argument.view()},
                          {half.view(), half_bias.view()});
            EXPECT_EQ(half.get(), rounded(wide.get()));
            EXPECT_EQ(half_bias.get(), wide_bias.get());
        }
    });
}

TEST_P(BackendTest, NotANumberStaysVisibleInBFloat16) {
    const HalfTensor x(backend(), 1, 1, std::vector{kNan});
    const HalfTensor weight(backend(), 17, 1, std::vector<float>(17, 1));
    const Tensor bias(backend(), 1, 17, std::vector<float>(17, 0));
    const HalfTensor y(backend(), 1, 17);
    const Activation relu = Activation::relu;
    run_operation(backend(), Linear{relu}, {x.view(), weight.view(), bias.view()}, {y.view()});
    for (const float value : y.get())
        EXPECT_TRUE(std::isnan(value));
}

}  // namespace
}  // namespace vae_dist
