#include <cmath>
#include <limits>
#include <numbers>

#include "backend_suite.hpp"

namespace vae_dist {
namespace {

double softplus_of(double x) {
    return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x));
}
double sigmoid_of(double x) {
    return 1 / (1 + std::exp(-x));
}

// Samples with one draw and with three, each draw with a weight of its own.
TEST_P(BackendTest, BernoulliIsTheLogLikelihoodAndItsGradient) {
    for (const std::int64_t draws : {1, 3}) {
        for_shapes([&](std::int64_t rows, std::int64_t features, MemoryPlace place) {
            const std::int64_t drawn = rows * draws;
            const auto logits = normal_values(drawn * features, 1, 3);
            const auto x = unit_values(rows * features, 2);
            const auto weights = unit_values(drawn, 3);
            const Tensor logits_tensor(backend(), drawn, features, logits, place);
            const Tensor x_tensor(backend(), rows, features, x, place);
            const Tensor weights_tensor(backend(), 1, drawn, weights);
            const Tensor likelihood(backend(), 1, drawn);
            const Tensor gradient(backend(), drawn, features, place);
            backend().bernoulli(logits_tensor.view(), x_tensor.view(), weights_tensor.data(),
                                likelihood.data(), gradient.view());
            std::vector<double> expected(static_cast<std::size_t>(drawn));
            std::vector<double> expected_gradient;
            const auto d = static_cast<std::size_t>(features);
            for (std::size_t i = 0; i < logits.size(); ++i) {
                const double l = logits[i];
                const double target = x[i / d / static_cast<std::size_t>(draws) * d + i % d];
                expected[i / d] += target * l - softplus_of(l);
                expected_gradient.push_back(weights[i / d] * (sigmoid_of(l) - target));
            }
            expect_near(likelihood.get(), expected, 1e-6);
            expect_near(gradient.get(), expected_gradient, 1e-6);

            const Tensor alone(backend(), 1, drawn);
            backend().bernoulli(logits_tensor.view(), x_tensor.view(), nullptr, alone.data(), {});
            EXPECT_EQ(alone.get(), likelihood.get());
            backend().bernoulli(logits_tensor.view(), x_tensor.view(), weights_tensor.data(), alone.data(),
                                logits_tensor.view());
            EXPECT_EQ(logits_tensor.get(), gradient.get());
        });
    }
}

TEST_P(BackendTest, BernoulliHoldsForExtremeLogits) {
    for (const float logit : {-1e30F, -1e4F, -100.0F, -20.0F, 20.0F, 100.0F, 1e4F, 1e30F}) {
        for (const float x : {0.0F, 1.0F}) {
            const Tensor logits(backend(), 1, 1, std::vector{logit});
            const Tensor target(backend(), 1, 1, std::vector{x});
            const Tensor one(backend(), 1, 1, std::vector{1.0F});
            const Tensor likelihood(backend(), 1, 1);
            const Tensor gradient(backend(), 1, 1);
            backend().bernoulli(logits.view(), target.view(), one.data(), likelihood.data(), gradient.view());
            const double log_likelihood = static_cast<double>(x) * logit - softplus_of(logit);
            expect_near(likelihood.get(), {log_likelihood}, 1e-6);
            expect_near(gradient.get(), {sigmoid_of(logit) - x}, 1e-6);
        }
    }
}

TEST_P(BackendTest, LikelihoodsOfNotANumberAreNotANumber) {
    const std::int64_t features = 33;
    std::vector<float> values(33, 0.5F);
    values[32] = std::numeric_limits<float>::quiet_NaN();
    const Tensor bad(backend(), 1, features, values);
    const Tensor zeros(backend(), 1, features, std::vector<float>(33, 0));
    const Tensor likelihood(backend(), 1, 1);
    const Tensor gradient(backend(), 1, features);
    const Tensor ds(backend(), 1, features);
    const Tensor one(backend(), 1, 1, std::vector{1.0F});
    backend().bernoulli(bad.view(), zeros.view(), one.data(), likelihood.data(), gradient.view());
    EXPECT_TRUE(std::isnan(likelihood.get()[0]));
    EXPECT_TRUE(std::isnan(gradient.get()[32]));
    backend().gaussian(bad.view(), zeros.data(), zeros.view(), one.data(), likelihood.data(), gradient.view(),
                       ds.data());
    EXPECT_TRUE(std::isnan(likelihood.get()[0]));
    EXPECT_TRUE(std::isnan(gradient.get()[32]));
    EXPECT_TRUE(std::isnan(ds.get()[32]));
}

TEST_P(BackendTest, GaussianIsTheLogLikelihoodAndItsGradients) {
    for (const std::int64_t draws : {1, 3}) {
        for_shapes([&](std::int64_t rows, std::int64_t features, MemoryPlace place) {
            const std::int64_t drawn = rows * draws;
            const auto mean = normal_values(drawn * features, 1);
            const auto x = normal_values(rows * features, 2);
            const auto s = normal_values(features, 3);
            const auto weights = unit_values(drawn, 4);
            const Tensor mean_tensor(backend(), drawn, features, mean, place);
            const Tensor x_tensor(backend(), rows, features, x, place);
            const Tensor s_tensor(backend(), 1, features, s, place);
            const Tensor weights_tensor(backend(), 1, drawn, weights);
            const Tensor likelihood(backend(), 1, drawn);
            const Tensor dmean(backend(), drawn, features, place);
            const Tensor ds(backend(), 1, features, place);
            backend().gaussian(mean_tensor.view(), s_tensor.data(), x_tensor.view(), weights_tensor.data(),
                               likelihood.data(), dmean.view(), ds.data());
            std::vector<double> expected(static_cast<std::size_t>(drawn));
            std::vector<double> expected_dmean;
            std::vector<double> expected_ds(s.size());
            for (std::size_t i = 0; i < mean.size(); ++i) {
                const std::size_t d = i % s.size();
                const std::size_t r = i / s.size();
                const double target = x[r / static_cast<std::size_t>(draws) * s.size() + d];
                const double difference = mean[i] - target;
                const double square = difference * difference / std::exp(s[d]);
                expected[r] -= 0.5 * (std::log(2 * std::numbers::pi) + s[d] + square);
                expected_dmean.push_back(weights[r] * difference / std::exp(s[d]));
                expected_ds[d] += 0.5 * weights[r] * (1 - square);
            }
            expect_near(likelihood.get(), expected, 1e-6);
            expect_near(dmean.get(), expected_dmean, 1e-6);
            expect_near(ds.get(), expected_ds, 3e-6);

            const Tensor alone(backend(), 1, drawn);
            backend().gaussian(mean_tensor.view(), s_tensor.data(), x_tensor.view(), nullptr, alone.data(),
                               {}, nullptr);
            EXPECT_EQ(alone.get(), likelihood.get());
            backend().gaussian(mean_tensor.view(), s_tensor.data(), x_tensor.view(), weights_tensor.data(),
                               alone.data(), mean_tensor.view(), ds.data());
            EXPECT_EQ(mean_tensor.get(), dmean.get());
        });
    }
}

TEST_P(BackendTest, SigmoidIsThatOfEachElement) {
    for_shapes([&](std::int64_t rows, std::int64_t features, MemoryPlace place) {
        const auto logits = normal_values(rows * features, 1, 5);
        const Tensor values(backend(), rows, features, logits, place);
        backend().sigmoid(values.view());
        expect_near(
            values.get(),
            [&] {
                std::vector<double> expected;
                for (const double logit : logits)
                    expected.push_back(sigmoid_of(logit));
                return expected;
            }(),
            1e-6);
    });
    const Tensor extreme(backend(), 1, 3, {-1e30F, 1e30F, std::numeric_limits<float>::quiet_NaN()});
    backend().sigmoid(extreme.view());
    EXPECT_EQ(extreme.get()[0], 0);
    EXPECT_EQ(extreme.get()[1], 1);
    EXPECT_TRUE(std::isnan(extreme.get()[2]));
}

TEST_P(BackendTest, ALogVarianceAtItsLeastIsOnlyPulledUp) {
    const Tensor s(backend(), 1, 4,
                   {kMinLogVariance, kMinLogVariance - 1, kMinLogVariance, kMinLogVariance + 1});
    const Tensor mean(backend(), 1, 4, {0, 0, 1, 0});
    const Tensor x(backend(), 1, 4, {0, 0, 0, 0});
    const Tensor likelihood(backend(), 1, 1);
    const Tensor dmean(backend(), 1, 4);
    const Tensor ds(backend(), 1, 4);
    const Tensor one(backend(), 1, 1, std::vector{1.0F});
    backend().gaussian(mean.view(), s.data(), x.view(), one.data(), likelihood.data(), dmean.view(),
                       ds.data());
    const auto gradient = ds.get();
    EXPECT_EQ(gradient[0], 0);
    EXPECT_EQ(gradient[1], 0);
    EXPECT_LT(gradient[2], 0);
    EXPECT_EQ(gradient[3], 0.5F);
}

TEST_P(BackendTest, LikelihoodsDoNotDependOnWhereAMatrixLies) {
    const std::int64_t rows = 3;
    const std::int64_t features = 45;
    expect_same_bits_everywhere([&](std::int64_t offset) {
        const MemoryPlace place{offset % 3 == 0 ? 5 : 0, offset};
        const Tensor a(backend(), rows, features, normal_values(rows * features, 1, 2), place);
        const Tensor x(backend(), rows, features, unit_values(rows * features, 2), place);
        const Tensor s(backend(), 1, features, normal_values(features, 3), place);
        const Tensor bernoulli(backend(), 1, rows, place);
        const Tensor gaussian(backend(), 1, rows, place);
        const Tensor dlogits(backend(), rows, features, place);
        const Tensor dmean(backend(), rows, features, place);
        const Tensor ds(backend(), 1, features, place);
        const Tensor weights(backend(), 1, rows, {0.1F, 0.2F, 0.3F}, place);
        backend().bernoulli(a.view(), x.view(), weights.data(), bernoulli.data(), dlogits.view());
        backend().gaussian(a.view(), s.data(), x.view(), weights.data(), gaussian.data(), dmean.view(),
                           ds.data());
        std::vector<float> all;
        for (const Tensor* tensor : {&bernoulli, &gaussian, &dlogits, &dmean, &ds})
            append(all, tensor->get());
        return all;
    });
}

}  // namespace
}  // namespace vae_dist
