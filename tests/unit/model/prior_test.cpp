#include "vae_dist/model/prior.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "vae_dist/model/vae.hpp"

namespace vae_dist {
namespace {

constexpr std::int64_t kLatents = 3;

ModelConfig model_before(const SizedWord<PriorKind>& prior) {
    ModelConfig config;
    config.latent_dim = kLatents;
    config.encoder.hidden = {4};
    config.decoder.hidden = {4};
    config.prior = prior;
    return config;
}

class PriorDraws : public testing::Test {
 protected:
    void set(const std::string& name, const std::vector<float>& values) {
        const Parameter& parameter = vae_.layout().find(name);
        ASSERT_EQ(std::ssize(values), parameter.size());
        backend_->copy_in(vae_.parameters().values.data() + parameter.offset, values.data(),
                          values.size() * sizeof(float));
    }

    std::vector<float> drawn(std::int64_t first, std::int64_t rows) const {
        std::vector<float> latents(static_cast<std::size_t>(rows * kLatents));
        vae_.draw_from_prior(CounterRandom(5, Purpose::prior), first, {latents.data(), rows, kLatents});
        return latents;
    }

    std::unique_ptr<Backend> backend_ = make_backend({});
    Vae vae_{model_before({PriorKind::mixture, 2}), 6, *backend_};
};

// Two components of other means, deviations 1/2 and 2 and weights 1/4 and 3/4, well apart.
TEST_F(PriorDraws, AreThoseOfTheMixture) {
    set("prior/mean", {-20, 0, 20, 30, 10, -30});
    set("prior/log_variance", {-1.3862944F, -1.3862944F, -1.3862944F, 1.3862944F, 1.3862944F, 1.3862944F});
    set("prior/logit", {1, 1 + std::log(3.0F)});
    constexpr std::int64_t kRows = 40000;
    const std::vector<float> latents = drawn(0, kRows);
    double rows_of_first = 0;
    double sum[2][kLatents] = {};
    double squares[2][kLatents] = {};
    for (std::int64_t r = 0; r < kRows; ++r) {
        const float* const z = latents.data() + r * kLatents;
        const std::size_t c = z[0] < 0 ? 0 : 1;
        rows_of_first += c == 0 ? 1 : 0;
        for (std::size_t d = 0; d < kLatents; ++d) {
            sum[c][d] += z[d];
            squares[c][d] += static_cast<double>(z[d]) * z[d];
        }
    }
    EXPECT_NEAR(rows_of_first / kRows, 0.25, 0.01);
    const double means[2][kLatents] = {{-20, 0, 20}, {30, 10, -30}};
    const double deviations[2] = {0.5, 2};
    for (std::size_t c = 0; c < 2; ++c) {
        const double rows = c == 0 ? rows_of_first : kRows - rows_of_first;
        for (std::size_t d = 0; d < kLatents; ++d) {
            const double mean = sum[c][d] / rows;
            EXPECT_NEAR(mean, means[c][d], 0.05);
            EXPECT_NEAR(std::sqrt(squares[c][d] / rows - mean * mean), deviations[c], 0.05);
        }
    }
}

TEST_F(PriorDraws, OfARowDoNotDependOnTheOthers) {
    vae_.initialise(3);
    const std::vector<float> all = drawn(0, 50);
    for (const std::int64_t row : {0, 7, 49}) {
        const std::vector<float> one = drawn(row, 1);
        EXPECT_TRUE(std::equal(one.begin(), one.end(), all.begin() + row * kLatents)) << row;
    }
}

// A mixture of one component N(0, I) is the standard normal prior: its log-density, and so the log-ratio, the
// divergence of a draw and the draws themselves.
TEST(Prior, AMixtureOfOneStandardNormalIsTheStandardNormal) {
    const auto backend = make_backend({});
    Vae standard(model_before({PriorKind::standard_normal}), 6, *backend);
    Vae mixture(model_before({PriorKind::mixture, 1}), 6, *backend);
    for (Vae* const vae : {&standard, &mixture}) {
        vae->initialise(3);
        vae->reserve_inference(2, 4);
    }
    const Parameter& mean = mixture.layout().find("prior/mean");
    const std::vector<float> zeros(static_cast<std::size_t>(mean.size()));
    backend->copy_in(mixture.parameters().values.data() + mean.offset, zeros.data(),
                     zeros.size() * sizeof(float));

    const std::vector<float> x = {0, 1, 1, 0, 1, 0, 1, 1, 0, 0, 0, 1};
    const std::vector<std::int64_t> rows = {3, 8};
    const auto weigh = [&](Vae& vae) {
        const ConstFloatMatrix samples(x.data(), 2, 6);
        return vae.weigh_draws(
            samples, vae.encode(samples),
            {.random = CounterRandom(1, Purpose::validation_noise), .rows = rows, .count = 4});
    };
    const DrawTerms of_standard = weigh(standard);
    const DrawTerms of_mixture = weigh(mixture);
    ASSERT_EQ(of_standard.terms[1].name, "kl");
    ASSERT_EQ(of_standard.terms[1].values.size(), 2U);
    ASSERT_EQ(of_mixture.terms[1].values.size(), 8U);
    for (std::size_t i = 0; i < 8; ++i) {
        EXPECT_EQ(of_mixture.log_likelihood[i], of_standard.log_likelihood[i]);
        EXPECT_NEAR(of_mixture.log_ratio[i], of_standard.log_ratio[i], 2e-6);
        EXPECT_EQ(of_mixture.terms[1].values[i], -of_mixture.log_ratio[i]);
    }

    std::vector<float> of_both[2] = {std::vector<float>(30), std::vector<float>(30)};
    standard.draw_from_prior(CounterRandom(5, Purpose::prior), 0, {of_both[0].data(), 10, kLatents});
    mixture.draw_from_prior(CounterRandom(5, Purpose::prior), 0, {of_both[1].data(), 10, kLatents});
    EXPECT_EQ(of_both[0], of_both[1]);
}

}  // namespace
}  // namespace vae_dist
