#include <array>
#include <cmath>
#include <cstring>
#include <limits>

#include "backend_suite.hpp"

namespace vae_dist {
namespace {

std::vector<std::int64_t> to_host(Backend& backend, const Buffer& buffer) {
    std::vector<std::int64_t> values(buffer.bytes() / sizeof(std::int64_t));
    backend.copy_out(values.data(), buffer.as<std::int64_t>(), buffer.bytes());
    return values;
}

TEST_P(BackendTest, MemoryIsZeroedAlignedAndCopiesBothWays) {
    for (const std::size_t bytes : {std::size_t{1}, std::size_t{100}, std::size_t{3} << 20}) {
        const Buffer buffer = backend().allocate(bytes);
        EXPECT_EQ(buffer.bytes(), bytes);
        EXPECT_EQ(reinterpret_cast<std::uintptr_t>(buffer.as<char>()) % 64, 0U);
        std::vector<char> host(bytes, 'x');
        backend().copy_out(host.data(), buffer.as<char>(), bytes);
        EXPECT_EQ(host, std::vector<char>(bytes, 0));
        const std::vector<char> sent(bytes, 'y');
        backend().copy_in(buffer.as<char>(), sent.data(), bytes);
        backend().copy_out(host.data(), buffer.as<char>(), bytes);
        EXPECT_EQ(host, sent);
    }
    EXPECT_EQ(backend().allocate(0).bytes(), 0U);
}

TEST_P(BackendTest, SaysHowMuchMemoryIsMissing) {
#ifdef VAE_DIST_ADDRESS_SANITIZER
    GTEST_SKIP() << "the address sanitizer ends a program that asks for so much";
#endif
    try {
        const Buffer buffer = backend().allocate(std::size_t{1} << 62);
        FAIL() << "got 4 EiB";
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::failure);
        EXPECT_NE(std::string(error.what()).find("out of memory"), std::string::npos);
    }
    EXPECT_THROW(backend().allocate(std::numeric_limits<std::size_t>::max()), Error);
}

TEST_P(BackendTest, FillScaleAndAddGoElementByElement) {
    for (const std::int64_t size : kSizes) {
        const auto a = normal_values(size, 1);
        const auto b = normal_values(size, 2);
        const Tensor to(backend(), 1, size, a);
        const Tensor from(backend(), 1, size, b);
        backend().add(from.span(), to.span());
        backend().scale(to.span(), 3);
        std::vector<float> expected;
        for (std::size_t i = 0; i < a.size(); ++i)
            expected.push_back((a[i] + b[i]) * 3);
        EXPECT_EQ(to.get(), expected);
        backend().fill(to.span(), 5);
        EXPECT_EQ(to.get(), std::vector<float>(a.size(), 5));
    }
}

TEST_P(BackendTest, SumsAreInDouble) {
    for (const std::int64_t size : {0, 1, 3, 15, 16, 17, 33, 100000}) {
        const auto values = normal_values(size, 1);
        const Tensor tensor(backend(), 1, std::max<std::int64_t>(size, 1), values);
        const auto span = tensor.span().first(values.size());
        double sum = 0;
        double squares = 0;
        for (const double value : values) {
            sum += value;
            squares += value * value;
        }
        EXPECT_NEAR(sum_of(backend(), span), sum, 1e-13 * static_cast<double>(size));
        EXPECT_NEAR(backend().sum_of_squares(span), squares, 1e-13 * static_cast<double>(size));
    }
}

TEST_P(BackendTest, SumsDoNotDependOnWhereAnArrayLies) {
    const auto values = normal_values(1003, 1);
    const Tensor aligned(backend(), 1, 1003, values);
    for (const std::int64_t offset : {1, 3, 8, 15}) {
        const Tensor moved(backend(), 1, 1003, values, {0, offset});
        EXPECT_EQ(sum_of(backend(), moved.span()), sum_of(backend(), aligned.span()));
        EXPECT_EQ(backend().sum_of_squares(moved.span()), backend().sum_of_squares(aligned.span()));
    }
}

TEST_P(BackendTest, ExactSumsRoundEachAddendToNearestEven) {
    // In units of 2^-2.
    const Tensor values(backend(), 1, 6, {0.125F, 0.375F, -0.125F, -0.375F, 0.3F, 1e6F});
    const Buffer sums = backend().allocate(6 * sizeof(std::int64_t));
    ASSERT_TRUE(backend().add_exact(values.span(), 2, 2, true, sums.span<std::int64_t>()));
    EXPECT_EQ(to_host(backend(), sums), (std::vector<std::int64_t>{0, 2, 0, -2, 1, 4000000}));
    ASSERT_TRUE(backend().add_exact(values.span(), 2, 2, false, sums.span<std::int64_t>()));
    EXPECT_EQ(to_host(backend(), sums), (std::vector<std::int64_t>{0, 4, 0, -4, 2, 8000000}));
    ASSERT_TRUE(backend().add_exact(values.span(), 2, 2, true, sums.span<std::int64_t>()));
    EXPECT_EQ(to_host(backend(), sums), (std::vector<std::int64_t>{0, 2, 0, -2, 1, 4000000}));
}

TEST_P(BackendTest, ExactSumsWrapAroundWhereABadValueLeftAnything) {
    constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
    const Buffer sums = backend().allocate(2 * sizeof(std::int64_t));
    const std::int64_t left[] = {kMost, -kMost - 1};
    backend().copy_in(sums.as<std::int64_t>(), left, sizeof left);
    const Tensor values(backend(), 1, 2, std::vector<float>{1, -1});
    EXPECT_TRUE(backend().add_exact(values.span(), 0, 2, false, sums.span<std::int64_t>()));
    EXPECT_EQ(to_host(backend(), sums), (std::vector<std::int64_t>{-kMost - 1, kMost}));
}

TEST_P(BackendTest, ExactSumsGiveBackWhatFits) {
    for (const std::int64_t size : {0, 1, 17, 2048, 5000}) {
        std::vector<float> values = normal_values(size, 1, 0.01F);
        // Multiples of 2^-40, as all floats at least 2^-17 in magnitude are.
        for (float& value : values)
            value += value < 0 ? -0x1p-10F : 0x1p-10F;
        const Tensor tensor(backend(), 1, std::max<std::int64_t>(size, 1), values);
        const auto span = tensor.span().first(values.size());
        const Buffer sums = backend().allocate(values.size() * sizeof(std::int64_t));
        ASSERT_TRUE(backend().add_exact(span, 40, 16, true, sums.span<std::int64_t>()));
        backend().fill(span, 0);
        backend().from_exact(sums.span<std::int64_t>(), 40, span);
        if (size > 0) {
            EXPECT_EQ(tensor.get(), values);
        }
    }
}

TEST_P(BackendTest, FromExactRoundsOnce) {
    // Needs 25 bits: a tie, which rounds to even.
    const std::vector<std::int64_t> sums = {(std::int64_t{1} << 62) + (std::int64_t{1} << 38), -3, 0};
    const Buffer buffer = backend().allocate(3 * sizeof(std::int64_t));
    backend().copy_in(buffer.as<std::int64_t>(), sums.data(), buffer.bytes());
    const Tensor to(backend(), 1, 3);
    backend().from_exact(buffer.span<std::int64_t>(), 40, to.span());
    EXPECT_EQ(to.get(), (std::vector<float>{0x1p22F, -0x1.8p-39F, 0}));
}

TEST_P(BackendTest, ExactSumsRefuseWhatIsNotFiniteOrTooLarge) {
    const float limit = 0x1p20F;  // 2^62 / 4 addends / 2^40
    const float below = std::nextafter(limit, 0.0F);
    const Buffer sums = backend().allocate(5000 * sizeof(std::int64_t));
    const auto accepts = [&](std::size_t at, float value, std::int64_t addends) {
        std::vector<float> values(5000, 1);
        values[at] = value;
        const Tensor tensor(backend(), 1, 5000, values);
        return backend().add_exact(tensor.span(), 40, addends, false, sums.span<std::int64_t>());
    };
    for (const std::size_t at : {0, 15, 2048, 4999}) {
        EXPECT_TRUE(accepts(at, below, 4));
        EXPECT_TRUE(accepts(at, -below, 4));
        EXPECT_TRUE(accepts(at, limit, 3));
        EXPECT_FALSE(accepts(at, limit, 4));
        EXPECT_FALSE(accepts(at, -limit, 4));
        EXPECT_FALSE(accepts(at, 1e38F, 1));
        EXPECT_FALSE(accepts(at, std::numeric_limits<float>::infinity(), 1));
        EXPECT_FALSE(accepts(at, -std::numeric_limits<float>::infinity(), 1));
        EXPECT_FALSE(accepts(at, std::numeric_limits<float>::quiet_NaN(), 1));
    }
}

TEST_P(BackendTest, TheExactSumInOnePassIsThatOfItsParts) {
    for (const std::int64_t size : {1, 63, 64, 65, 4096, 20001}) {
        for (const int count : {1, 2, 3, 5}) {
            const auto elements = static_cast<std::size_t>(size);
            const Buffer sums = backend().allocate(elements * sizeof(std::int64_t));
            std::vector<Tensor> tensors;
            std::vector<const float*> arrays;
            for (int a = 0; a < count; ++a) {
                // Of such different sizes that sums are rounded.
                auto values =
                    normal_values(size, static_cast<std::uint32_t>(a + 1), a % 2 == 0 ? 1e-4F : 30.0F);
                values[0] = -1e-13F;  // 0, not -0
                if (size > 100)
                    values[100] = static_cast<float>(a + 1) * 1.1e5F;  // sums that no double holds
                tensors.emplace_back(backend(), 1, size, values);
                ASSERT_TRUE(
                    backend().add_exact(tensors.back().span(), 40, count, a == 0, sums.span<std::int64_t>()));
            }
            for (const Tensor& tensor : tensors)
                arrays.push_back(tensor.span().data());
            const Tensor expected(backend(), 1, size);
            backend().from_exact(sums.span<std::int64_t>(), 40, expected.span());
            // Into the last of the arrays itself.
            const Tensor& to = tensors.back();
            EXPECT_TRUE(backend().sum_exact(arrays, 40, count, to.span()));
            const std::vector<float> sum = to.get();
            const std::vector<float> same = expected.get();
            EXPECT_EQ(std::memcmp(sum.data(), same.data(), elements * sizeof(float)), 0)
                << size << " elements of " << count << " arrays";
        }
    }
}

TEST_P(BackendTest, TheExactSumInOnePassRefusesWhatDoesNotFit) {
    for (const float bad : {0x1p20F, -0x1p20F, std::numeric_limits<float>::infinity(),
                            std::numeric_limits<float>::quiet_NaN()}) {
        for (const std::size_t at : {0, 63, 64, 19999}) {
            std::vector<float> values(20000, 1);
            const Tensor good(backend(), 1, 20000, values);
            values[at] = bad;
            const Tensor sick(backend(), 1, 20000, values);
            const Tensor to(backend(), 1, 20000);
            const std::array<const float*, 2> arrays = {good.span().data(), sick.span().data()};
            EXPECT_FALSE(backend().sum_exact(arrays, 40, 4, to.span()));
            EXPECT_FALSE(backend().sum_exact(std::span(arrays).last(1), 40, 4, to.span()));
            const std::array<const float*, 2> both_good = {good.span().data(), good.span().data()};
            EXPECT_TRUE(backend().sum_exact(both_good, 40, 4, to.span()));
            EXPECT_EQ(to.get()[at], 2);
        }
    }
}

}  // namespace
}  // namespace vae_dist
