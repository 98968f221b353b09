// What passes of one model leave to each other.

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "vae_dist/core/error.hpp"
#include "vae_dist/model/vae.hpp"

namespace vae_dist {
namespace {

constexpr std::int64_t kRows = 4;
constexpr std::int64_t kDraws = 3;
constexpr std::int64_t kFeatures = 6;
constexpr std::int64_t kLatents = 2;

ModelConfig model_config() {
    ModelConfig config;
    config.latent_dim = kLatents;
    config.encoder.hidden = {5};
    config.decoder.hidden = {7};
    return config;
}

class VaePasses : public testing::TestWithParam<Precision> {
 protected:
    VaePasses() : backend_(make_backend({})), vae_(model_config(), kFeatures, *backend_, GetParam()) {
        vae_.initialise(3);
        for (std::int64_t i = 0; i < kRows * kFeatures; ++i)
            x_.push_back(static_cast<float>(i % 5) / 5);
    }

    VaeInput input(std::int64_t rows, std::int64_t draws) const {
        return {.x = ConstFloatMatrix(x_.data(), rows, kFeatures),
                .rows = std::span(rows_).first(static_cast<std::size_t>(rows)),
                .noise = CounterRandom(6, Purpose::posterior_noise),
                .draws = draws};
    }

    static std::vector<float> copy(const FloatMatrix& matrix) {
        std::vector<float> values;
        for (std::int64_t r = 0; r < matrix.rows; ++r)
            values.insert(values.end(), matrix.row(r), matrix.row(r) + matrix.columns);
        return values;
    }

    const std::vector<std::int64_t> rows_ = {10, 11, 12, 13};
    std::vector<float> x_;
    std::unique_ptr<Backend> backend_;
    Vae vae_;
};

TEST_P(VaePasses, APassOfOneDrawHasNoBoundOfAnEarlierOne) {
    vae_.reserve(kRows, kDraws);
    EXPECT_NE(vae_.forward(input(kRows, kDraws), {}).bound().value(), 0);
    EXPECT_FALSE(vae_.forward(input(kRows, 1), {}).bound());
    EXPECT_EQ(vae_.start_forward(input(kRows, 1), {}).size(), 2U);
    EXPECT_FALSE(vae_.evaluate(input(kRows, 1)).bound());
}

TEST_P(VaePasses, TermsHaveTheGraphsNames) {
    vae_.reserve(kRows, kDraws);
    for (const std::int64_t draws : {kDraws, std::int64_t{1}}) {
        const TermValues made = vae_.evaluate(input(kRows, draws));
        const TermValues none = vae_.terms(draws);
        const bool several = draws > 1;
        const std::vector<std::string> names = {"reconstruction", "kl", "iwae_bound"};
        EXPECT_TRUE(std::ranges::equal(made.names(), std::span(names).first(several ? 3 : 2)));
        EXPECT_TRUE(std::ranges::equal(made.names(), none.names()));
        for (const double value : none.values())
            EXPECT_EQ(value, 0);
    }
}

TEST_P(VaePasses, FewerRowsThanReservedGiveTheSameGradients) {
    Vae small(model_config(), kFeatures, *backend_, GetParam());
    small.initialise(3);
    small.reserve(2, kDraws);
    vae_.reserve(kRows, kDraws);
    for (const std::int64_t draws : {kDraws, std::int64_t{1}}) {
        vae_.forward(input(kRows, draws), {});
        vae_.backward(input(kRows, draws), {}, [](std::int64_t) {});
        for (Vae* const vae : {&vae_, &small}) {
            vae->forward(input(2, draws), {});
            vae->backward(input(2, draws), {}, [](std::int64_t) {});
        }
        EXPECT_TRUE(std::ranges::equal(vae_.parameters().gradients, small.parameters().gradients)) << draws;
    }
}

TEST_P(VaePasses, APassWithoutRowsHasGradientsOfZero) {
    vae_.reserve(kRows);
    std::ranges::fill(vae_.parameters().gradients, 1.0F);
    vae_.forward(input(0, 1), {});
    vae_.backward(input(0, 1), {}, [](std::int64_t) {});
    for (const Parameter& parameter : vae_.layout().parameters())
        EXPECT_EQ(vae_.parameters().gradients[static_cast<std::size_t>(parameter.offset)], 0)
            << parameter.name;
}

TEST_P(VaePasses, ReservingAnewForgetsTheOldMemory) {
    vae_.reserve(kRows, kDraws);
    vae_.reserve(kRows, 1);
    EXPECT_THROW(vae_.forward(input(kRows, kDraws), {}), Error);
}

TEST_P(VaePasses, DecodeTakesAsManyLatentsAsDrawsAreReserved) {
    vae_.reserve_inference(kRows, kDraws);
    const std::vector<float> latents(static_cast<std::size_t>((kRows * kDraws + 1) * kLatents), 0.5F);
    EXPECT_EQ(vae_.decode({latents.data(), kRows * kDraws, kLatents}).rows, kRows * kDraws);
    EXPECT_THROW(vae_.decode({latents.data(), kRows * kDraws + 1, kLatents}), Error);
    EXPECT_THROW(vae_.forward(input(kRows, 1), {}), Error);
}

TEST_P(VaePasses, APosteriorStaysWhileDrawsFromItAreDecoded) {
    vae_.reserve_inference(kRows, kDraws);
    const ConstFloatMatrix x(x_.data(), kRows, kFeatures);
    const Posterior posterior = vae_.encode(x);
    const std::vector<float> mean = copy(posterior.mean);
    const std::vector<float> log_variance = copy(posterior.log_variance);
    const PosteriorDraws draws = {
        .random = CounterRandom(6, Purpose::posterior_noise), .rows = rows_, .count = kDraws};
    const DrawTerms terms = vae_.weigh_draws(x, posterior, draws);
    const std::vector<float> weighed(terms.log_likelihood.begin(), terms.log_likelihood.end());
    vae_.log_likelihood(vae_.decode(posterior.mean), x);
    EXPECT_EQ(copy(posterior.mean), mean);
    EXPECT_EQ(copy(posterior.log_variance), log_variance);
    const DrawTerms again = vae_.weigh_draws(x, posterior, draws);
    EXPECT_TRUE(std::ranges::equal(again.log_likelihood, weighed));
}

INSTANTIATE_TEST_SUITE_P(Precisions, VaePasses, testing::Values(Precision::float32, Precision::bfloat16),
                         [](const auto& tested) {
                             return tested.param == Precision::float32 ? "float32" : "bfloat16";
                         });

}  // namespace
}  // namespace vae_dist
