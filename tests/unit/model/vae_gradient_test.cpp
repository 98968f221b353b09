#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "unit/model/reference_vae.hpp"
#include "vae_dist/model/vae.hpp"

namespace vae_dist {
namespace {

constexpr std::int64_t kRows = 5;
constexpr std::int64_t kFeatures = 6;

struct Case {
    std::string name;
    Activation activation = Activation::tanh;
    LikelihoodConfig likelihood = {};
    double beta = 1;
    double free_bits = 0;
    std::vector<std::int64_t> encoder = {7, 5};
    std::vector<std::int64_t> decoder = {5, 7};
    std::int64_t draws = 1;
    std::vector<ConditionedPart> conditioned = {};  ///< on two conditions, of one number and of two
    SizedWord<PriorKind> prior = {PriorKind::standard_normal};

    friend void PrintTo(const Case& which, std::ostream* to) { *to << which.name; }
};

std::vector<Case> cases() {
    std::vector<Case> all;
    const std::vector<std::pair<std::string, LikelihoodConfig>> likelihoods = {
        {"bernoulli", {LikelihoodKind::bernoulli}},
        {"gaussian", {LikelihoodKind::gaussian}},
        {"gaussian_of_decoder", {LikelihoodKind::gaussian, VarianceKind::decoder}}};
    for (const auto& [of, likelihood] : likelihoods) {
        all.push_back({of + "_relu", Activation::relu, likelihood});
        all.push_back({of + "_tanh", Activation::tanh, likelihood});
        all.push_back({of + "_gelu", Activation::gelu, likelihood});
        all.push_back({of + "_silu", Activation::silu, likelihood});
        all.push_back({of + "_softplus", Activation::softplus, likelihood});
        all.push_back({of + "_elu", Activation::elu, likelihood});
        all.push_back({of + "_beta", Activation::tanh, likelihood, 0.3});
        all.push_back({of + "_free_bits", Activation::tanh, likelihood, 2, 0.1});
        all.push_back({of + "_no_hidden_layers", Activation::tanh, likelihood, 1, 0, {}, {}});
        all.push_back({of + "_one_sided", Activation::tanh, likelihood, 1, 0, {4}, {}});
        all.push_back({of + "_several_draws", Activation::tanh, likelihood, 1, 0, {7, 5}, {5, 7}, 4});
        all.push_back({of + "_several_draws_beta", Activation::gelu, likelihood, 0.3, 0, {7}, {}, 3});
    }
    const std::vector<ConditionedPart> both = {ConditionedPart::encoder, ConditionedPart::decoder};
    all.push_back({"decoder_with_conditions", Activation::tanh, {}, 1, 0, {7}, {5}, 1, {both[1]}});
    all.push_back({"encoder_with_conditions", Activation::tanh, {}, 1, 0, {7}, {5}, 1, {both[0]}});
    all.push_back({"both_with_conditions", Activation::gelu, {}, 1, 0, {7, 5}, {}, 4, both});
    const SizedWord<PriorKind> mixture = {PriorKind::mixture, 4};
    for (const std::int64_t draws : {1, 3}) {
        for (const double beta : {1.0, 0.3}) {
            all.push_back(
                {.name = fmt::format("mixture_prior_{}_draws_beta_{}", draws, beta < 1 ? "low" : "1"),
                 .beta = beta,
                 .draws = draws,
                 .prior = mixture});
        }
    }
    return all;
}

class VaeGradient : public testing::TestWithParam<Case> {
 protected:
    VaeGradient()
        : backend_(make_backend({})),
          vae_(model_config(), kFeatures, *backend_, Precision::float32, conditions()) {
        vae_.reserve(kRows, GetParam().draws);
        vae_.initialise(3);
        // Every parameter, the biases too, away from zero.
        std::vector<float> noise(vae_.parameters().values.size());
        CounterRandom(4, Purpose::synthetic).normals(0, 0, noise);
        backend_->scale(noise, 0.2F);
        backend_->add(noise, vae_.parameters().values);
        for (const ModelCondition& condition : conditions()) {
            std::vector<float>& values = condition_values_.emplace_back(kRows * condition.columns);
            CounterRandom(7, Purpose::synthetic).normals(0, condition_values_.size(), values);
        }
        for (std::size_t i = 0; i < condition_values_.size(); ++i)
            condition_views_.emplace_back(condition_values_[i].data(), kRows, conditions()[i].columns);
        for (std::int64_t r = 0; r < kRows; ++r) {
            rows_.push_back(100 + r);
            for (std::int64_t d = 0; d < kFeatures; ++d) {
                x_.push_back(CounterRandom(5, Purpose::synthetic)
                                 .uniform(0, static_cast<std::uint64_t>(r), static_cast<std::uint32_t>(d)));
            }
        }
    }

    static ModelConfig model_config() {
        ModelConfig config;
        config.latent_dim = 3;
        config.encoder.hidden = GetParam().encoder;
        config.decoder.hidden = GetParam().decoder;
        config.activation = GetParam().activation;
        config.likelihood = GetParam().likelihood;
        config.prior = GetParam().prior;
        if (!GetParam().conditioned.empty())
            config.condition = {.on = {"energy", "place"}, .into = GetParam().conditioned};
        return config;
    }

    static std::vector<ModelCondition> conditions() {
        if (GetParam().conditioned.empty()) return {};
        return {{.name = "energy", .columns = 1}, {.name = "place", .columns = 2}};
    }

    VaeInput input() const {
        return {.x = ConstFloatMatrix(x_.data(), kRows, kFeatures),
                .rows = rows_,
                .noise = CounterRandom(6, Purpose::posterior_noise),
                .visit = 2,
                .draws = GetParam().draws,
                .conditions = condition_views_};
    }

    ReferenceVae::Parameters reference_parameters() const {
        ReferenceVae::Parameters parameters;
        for (const Parameter& parameter : vae_.layout().parameters()) {
            const float* first = vae_.parameters().values.data() + parameter.offset;
            parameters[parameter.name].assign(first, first + parameter.size());
        }
        return parameters;
    }

    std::vector<ReferenceVae::Sample> reference_samples() const {
        std::vector<ReferenceVae::Sample> samples;
        for (std::int64_t r = 0; r < kRows; ++r) {
            const auto first = x_.begin() + r * kFeatures;
            ReferenceVae::Sample& sample = samples.emplace_back();
            sample.x.assign(first, first + kFeatures);
            for (const ConstFloatMatrix& condition : condition_views_)
                sample.conditions.insert(sample.conditions.end(), condition.row(r),
                                         condition.row(r) + condition.columns);
            for (std::int64_t k = 0; k < GetParam().draws; ++k) {
                std::vector<float> epsilon(3);
                const std::int64_t counter = rows_[static_cast<std::size_t>(r)] + (k << 40);
                input().noise.normals(2, static_cast<std::uint64_t>(counter), epsilon);
                sample.epsilon.emplace_back(epsilon.begin(), epsilon.end());
            }
        }
        return samples;
    }

    std::vector<std::vector<float>> condition_values_;
    std::vector<ConstFloatMatrix> condition_views_;
    std::unique_ptr<Backend> backend_;
    Vae vae_;
    std::vector<float> x_;
    std::vector<std::int64_t> rows_;
};

TEST_P(VaeGradient, TermsAgreeWithTheFormulas) {
    const ObjectiveWeights weights = {
        .sample_weight = 0.25, .beta = GetParam().beta, .free_bits = GetParam().free_bits};
    const TermValues terms = vae_.forward(input(), weights);
    const TermValues evaluated = vae_.evaluate(input());
    const ReferenceVae::Terms expected =
        ReferenceVae(model_config()).terms(reference_parameters(), reference_samples(), 0.25, 1, 0);
    EXPECT_NEAR(terms["reconstruction"], expected.reconstruction, 1e-5 * std::abs(expected.reconstruction));
    EXPECT_NEAR(terms["kl"], expected.kl, 1e-5 * std::abs(expected.kl));
    ASSERT_EQ(terms.bound().has_value(), GetParam().draws > 1);
    const double bound = GetParam().draws > 1 ? expected.iwae_bound : 0;
    EXPECT_NEAR(terms.bound().value_or(0), bound, 1e-5 * std::abs(bound));
    EXPECT_TRUE(std::ranges::equal(evaluated.values(), terms.values()));
}

TEST_P(VaeGradient, EveryParameterAgreesWithFiniteDifferences) {
    const Case& c = GetParam();
    const ObjectiveWeights weights = {.sample_weight = 0.25, .beta = c.beta, .free_bits = c.free_bits};
    vae_.forward(input(), weights);
    vae_.backward(input(), weights, [](std::int64_t) {});
    const ReferenceVae reference(model_config());
    const auto samples = reference_samples();
    ReferenceVae::Parameters parameters = reference_parameters();
    constexpr double kStep = 1e-5;
    for (const Parameter& parameter : vae_.layout().parameters()) {
        for (std::int64_t i = 0; i < parameter.size(); ++i) {
            double& value = parameters[parameter.name][static_cast<std::size_t>(i)];
            const double at = value;
            value = at + kStep;
            const double above = reference.terms(parameters, samples, 0.25, c.beta, c.free_bits).objective;
            value = at - kStep;
            const double below = reference.terms(parameters, samples, 0.25, c.beta, c.free_bits).objective;
            value = at;
            const double expected = (above - below) / (2 * kStep);
            const double gradient =
                vae_.parameters().gradients[static_cast<std::size_t>(parameter.offset + i)];
            EXPECT_NEAR(gradient, expected, 2e-5 * (1 + std::abs(expected)))
                << parameter.name << "[" << i << "]";
        }
    }
}

TEST_P(VaeGradient, GradientsAreReportedAsGrowingPrefixesThatEndWithTheWhole) {
    const ObjectiveWeights weights;
    vae_.forward(input(), weights);
    std::int64_t finished = 0;
    vae_.backward(input(), weights, [&](std::int64_t end) {
        EXPECT_GT(end, finished);
        finished = end;
    });
    EXPECT_EQ(finished, vae_.layout().size());
}

INSTANTIATE_TEST_SUITE_P(Cases, VaeGradient, testing::ValuesIn(cases()),
                         [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace vae_dist
