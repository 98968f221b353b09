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

TEST_P(BackendTest, RoundGoesElementByElement) {
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

}  // namespace
}  // namespace vae_dist
