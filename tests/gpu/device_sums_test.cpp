// What a device adds up without the host: against the processor's sums, and plain loops in double.

#include <cmath>
#include <limits>

#include "gpu/device_test.hpp"

namespace vae_dist {
namespace {

constexpr int kBits = 40;
constexpr float kInfinity = std::numeric_limits<float>::infinity();

using DeviceSumsTest = DeviceTest;

TEST_F(DeviceSumsTest, ExactIntegersAreThoseOfTheProcessor) {
    const auto cpu = make_backend({});
    for (const std::int64_t size : kSizes) {
        const auto first = normal_values(size, 1, 3);
        const auto second = normal_values(size, 2, 1e-9F);
        std::vector<std::int64_t> expected(first.size());
        ASSERT_TRUE(cpu->add_exact(first, kBits, 2, true, expected));
        ASSERT_TRUE(cpu->add_exact(second, kBits, 2, false, expected));
        const Buffer sums = backend().allocate(expected.size() * sizeof(std::int64_t));
        const Buffer misfits = backend().allocate(sizeof(std::int64_t));
        const auto add = [&](const std::vector<float>& values, bool overwrite) {
            device().add_exact(make(values).span<float>(), kBits, 2, overwrite, sums.span<std::int64_t>(),
                               misfits.as<std::int64_t>());
        };
        add(first, true);
        add(second, false);
        EXPECT_EQ(get<std::int64_t>(sums), expected);
        EXPECT_EQ(get<std::int64_t>(misfits)[0], 0);
        const Buffer floats = backend().allocate(first.size() * sizeof(float));
        std::vector<float> expected_floats(first.size());
        cpu->from_exact(expected, kBits, expected_floats);
        backend().from_exact(sums.span<std::int64_t>(), kBits, floats.span<float>());
        EXPECT_EQ(get<float>(floats), expected_floats);
    }
}

TEST_F(DeviceSumsTest, WhatDoesNotFitIsNotedAndTheRestIsAdded) {
    for (const float bad :
         {kInfinity, -kInfinity, std::numeric_limits<float>::quiet_NaN(), 0x1p22F, -0x1p22F}) {
        const Buffer sums = make(std::vector<std::int64_t>(7, 5));
        const Buffer misfits = make(std::vector<std::int64_t>{0});
        device().add_exact(make(std::vector<float>{1, 1, 1, 1, 1, bad, 1}).span<float>(), kBits, 1, false,
                           sums.span<std::int64_t>(), misfits.as<std::int64_t>());
        EXPECT_EQ(get<std::int64_t>(misfits)[0], 1) << bad;
        EXPECT_EQ(get<std::int64_t>(sums)[6], (std::int64_t{1} << kBits) + 5);
        // It stays noted.
        device().add_exact(make(std::vector<float>(7, 1)).span<float>(), kBits, 1, false,
                           sums.span<std::int64_t>(), misfits.as<std::int64_t>());
        EXPECT_EQ(get<std::int64_t>(misfits)[0], 1) << bad;
    }
    // The largest that fits, of one addend, and of four.
    for (const std::int64_t addends : {1, 4}) {
        const float most = std::nextafter(0x1p22F / static_cast<float>(addends), 0.0F);
        const Buffer sums = make(std::vector<std::int64_t>(1, 0));
        const Buffer misfits = make(std::vector<std::int64_t>{0});
        device().add_exact(make(std::vector<float>{most}).span<float>(), kBits, addends, true,
                           sums.span<std::int64_t>(), misfits.as<std::int64_t>());
        EXPECT_EQ(get<std::int64_t>(misfits)[0], 0);
        EXPECT_EQ(static_cast<double>(get<std::int64_t>(sums)[0]),
                  std::ldexp(static_cast<double>(most), kBits));
    }
}

TEST_F(DeviceSumsTest, TermsAreRoundedOnceAndAdded) {
    const std::vector<double> terms = {-123.456, 0.1, 1e300};
    const double factor = 1.0 / 3;
    const Buffer sums = make(std::vector<std::int64_t>{7, 7, 7});
    const Buffer misfits = make(std::vector<std::int64_t>{0});
    device().add_exact_terms(make(terms).span<double>().first(2), factor, 32, 4, sums.as<std::int64_t>(),
                             misfits.as<std::int64_t>());
    EXPECT_EQ(get<std::int64_t>(misfits)[0], 0);
    for (std::size_t i = 0; i < 2; ++i)
        EXPECT_EQ(get<std::int64_t>(sums)[i], 7 + std::llrint(terms[i] * factor * 0x1p32));
    device().add_exact_terms(make(terms).span<double>(), factor, 32, 4, sums.as<std::int64_t>(),
                             misfits.as<std::int64_t>());
    EXPECT_EQ(get<std::int64_t>(misfits)[0], 1);
    EXPECT_EQ(get<std::int64_t>(sums)[2], 7);
}

TEST_F(DeviceSumsTest, SquaresAreAddedUpByChunks) {
    for (const std::int64_t size : {1, 63, 64, 65, 1000, 5000}) {
        for (const std::int64_t chunk : {4, 64, 4096}) {
            const auto values = normal_values(size, 3);
            const auto chunks = static_cast<std::size_t>((size + chunk - 1) / chunk);
            std::vector<double> expected(chunks);
            for (std::size_t i = 0; i < values.size(); ++i) {
                expected[i / static_cast<std::size_t>(chunk)] +=
                    static_cast<double>(values[i]) * static_cast<double>(values[i]);
            }
            const Buffer sums = backend().allocate(chunks * sizeof(double));
            device().sums_of_squares(make(values).span<float>(), chunk, sums.as<double>());
            const auto actual = get<double>(sums);
            for (std::size_t i = 0; i < chunks; ++i)
                EXPECT_NEAR(actual[i], expected[i], 1e-13 * expected[i] + 1e-300) << size << ' ' << chunk;
        }
    }
}

struct Clip {
    double norm;
    float factor;
};

TEST_F(DeviceSumsTest, TheFactorOfClippingIsTheLimitOverTheNorm) {
    const auto clip = [&](const std::vector<double>& squares, std::int64_t misfits, double limit) {
        const Buffer norm = backend().allocate(sizeof(double));
        const Buffer factor = backend().allocate(sizeof(float));
        const Buffer there = make(squares);
        device().clip_factor(there.span<double>(),
                             make(std::vector<std::int64_t>{misfits}).as<std::int64_t>(), limit,
                             norm.as<double>(), factor.as<float>());
        return Clip{get<double>(norm)[0], get<float>(factor)[0]};
    };
    const std::vector<double> squares(100, 0.09);
    EXPECT_DOUBLE_EQ(clip(squares, 0, 0).norm, 3);
    EXPECT_EQ(clip(squares, 0, 0).factor, 1);
    EXPECT_EQ(clip(squares, 0, 3.1).factor, 1);
    EXPECT_FLOAT_EQ(clip(squares, 0, 1.5).factor, 0.5F);
    EXPECT_EQ(clip(squares, 1, 1.5).norm, kInfinity);
    EXPECT_TRUE(std::isnan(clip({1, std::nan(""), 1}, 0, 1.5).norm));
    EXPECT_EQ(clip({0}, 0, 1.5).norm, 0);
}

TEST_F(DeviceSumsTest, ScalesByWhatTheDeviceFound) {
    const Tensor values(backend(), 1, 17, normal_values(17, 5));
    const auto before = values.get();
    device().scale_by(values.span(), make(std::vector<float>{0.25F}).as<float>());
    const auto after = values.get();
    for (std::size_t i = 0; i < after.size(); ++i)
        EXPECT_EQ(after[i], 0.25F * before[i]);
}

}  // namespace
}  // namespace vae_dist
