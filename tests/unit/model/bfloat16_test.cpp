#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "vae_dist/model/vae.hpp"

namespace vae_dist {
namespace {

constexpr std::int64_t kRows = 33;
constexpr std::int64_t kFeatures = 50;
// Operands are rounded by up to 1/256 and much of that averages out.
constexpr double kTolerance = 0.02;
// Of relu the derivative jumps: some units' arguments lie within the rounding of 0.
constexpr double kToleranceWithJumps = 0.2;

struct Case {
    std::string name;
    Activation activation = Activation::relu;
    LikelihoodConfig likelihood = {};
    std::vector<std::int64_t> hidden = {40, 24};
    std::int64_t draws = 1;
    double gradient_tolerance = kTolerance;

    friend void PrintTo(const Case& which, std::ostream* to) { *to << which.name; }
};

std::vector<Case> cases() {
    return {{"relu", Activation::relu, {}, {40, 24}, 1, kToleranceWithJumps},
            {"elu", Activation::elu},
            {"gelu", Activation::gelu},
            {"gaussian", Activation::tanh, {LikelihoodKind::gaussian}},
            {"gaussian_of_decoder", Activation::gelu, {LikelihoodKind::gaussian, VarianceKind::decoder}},
            {"no_hidden_layers", Activation::relu, {LikelihoodKind::bernoulli}, {}},
            {"several_draws", Activation::silu, {LikelihoodKind::bernoulli}, {40}, 3}};
}

class BFloat16Vae : public testing::TestWithParam<Case> {
 protected:
    BFloat16Vae()
        : backend_(make_backend({})),
          wide_(model_config(), kFeatures, *backend_),
          vae_(model_config(), kFeatures, *backend_, Precision::bfloat16) {
        for (Vae* vae : {&wide_, &vae_}) {
            vae->reserve(kRows, GetParam().draws);
            vae->initialise(3);
        }
        for (std::int64_t r = 0; r < kRows; ++r)
            rows_.push_back(100 + r);
        const CounterRandom random(5, Purpose::synthetic);
        for (std::int64_t i = 0; i < kRows * kFeatures; ++i)
            x_.push_back(random.uniform(0, 0, static_cast<std::uint32_t>(i)));
    }

    static ModelConfig model_config() {
        ModelConfig config;
        config.latent_dim = 5;
        config.encoder.hidden = GetParam().hidden;
        config.decoder.hidden = {GetParam().hidden.rbegin(), GetParam().hidden.rend()};
        config.activation = GetParam().activation;
        config.likelihood = GetParam().likelihood;
        return config;
    }

    VaeInput input() const {
        return {.x = ConstFloatMatrix(x_.data(), kRows, kFeatures),
                .rows = rows_,
                .noise = CounterRandom(6, Purpose::posterior_noise),
                .visit = 2,
                .draws = GetParam().draws};
    }

    std::unique_ptr<Backend> backend_;
    Vae wide_;
    Vae vae_;
    std::vector<float> x_;
    std::vector<std::int64_t> rows_;
};

TEST_P(BFloat16Vae, TermsAreNearThoseInFloat) {
    const ObjectiveWeights weights = {.sample_weight = 1.0 / kRows};
    const TermValues expected = wide_.forward(input(), weights);
    const TermValues terms = vae_.forward(input(), weights);
    EXPECT_NEAR(terms["reconstruction"], expected["reconstruction"],
                2e-3 * std::abs(expected["reconstruction"]));
    EXPECT_NEAR(terms["kl"], expected["kl"], kTolerance * expected["kl"]);
    EXPECT_NE(terms["reconstruction"], expected["reconstruction"]) << "nothing was rounded";
    const TermValues evaluated = vae_.evaluate(input());
    EXPECT_EQ(evaluated["reconstruction"], terms["reconstruction"]);
    EXPECT_EQ(evaluated["kl"], terms["kl"]);
}

// In the norm of each parameter's gradient.
TEST_P(BFloat16Vae, GradientsAreNearThoseInFloat) {
    const ObjectiveWeights weights = {.sample_weight = 1.0 / kRows};
    for (Vae* vae : {&wide_, &vae_}) {
        vae->forward(input(), weights);
        vae->backward(input(), weights, [](std::int64_t) {});
    }
    for (const Parameter& parameter : vae_.layout().parameters()) {
        double squares = 0;
        double errors = 0;
        for (std::int64_t i = parameter.offset; i < parameter.offset + parameter.size(); ++i) {
            const double expected = wide_.parameters().gradients[static_cast<std::size_t>(i)];
            const double error = vae_.parameters().gradients[static_cast<std::size_t>(i)] - expected;
            squares += expected * expected;
            errors += error * error;
        }
        EXPECT_GT(squares, 0) << parameter.name;
        EXPECT_LT(std::sqrt(errors / squares), GetParam().gradient_tolerance) << parameter.name;
    }
}

TEST_P(BFloat16Vae, BitsDoNotDependOnTheNumberOfThreads) {
    ComputeConfig compute;
    compute.threads = 3;
    const auto threads = make_backend(compute);
    Vae threaded(model_config(), kFeatures, *threads, Precision::bfloat16);
    threaded.reserve(kRows, GetParam().draws);
    threaded.initialise(3);
    const ObjectiveWeights weights = {.sample_weight = 1.0 / kRows};
    for (Vae* vae : {&threaded, &vae_}) {
        vae->forward(input(), weights);
        vae->backward(input(), weights, [](std::int64_t) {});
    }
    EXPECT_TRUE(std::ranges::equal(threaded.parameters().gradients, vae_.parameters().gradients));
}

INSTANTIATE_TEST_SUITE_P(Cases, BFloat16Vae, testing::ValuesIn(cases()),
                         [](const auto& tested) { return tested.param.name; });

void expect_fresh(const ParameterStore& store) {
    ASSERT_EQ(store.operands.size(), store.values.size());
    for (std::size_t i = 0; i < store.values.size(); ++i)
        ASSERT_EQ(store.operands[i], to_bfloat16(store.values[i])) << i;
}

TEST(Operands, AreTheValuesRoundedWhateverWrites) {
    const auto backend = make_backend({});
    Vae vae({}, 20, *backend, Precision::bfloat16);
    vae.initialise(1);
    expect_fresh(vae.parameters());
    vae.start_from(std::vector<double>(20, 0.3));
    expect_fresh(vae.parameters());
    backend->scale(vae.parameters().values, 1.7F);
    vae.parameters().refresh_operands(*backend, 0, 1000);
    EXPECT_EQ(vae.parameters().operands[999], to_bfloat16(vae.parameters().values[999]));
    EXPECT_NE(vae.parameters().operands[1000], to_bfloat16(vae.parameters().values[1000]));
    vae.refresh_operands();
    expect_fresh(vae.parameters());
}

TEST(Operands, AreNoneInFloat) {
    const auto backend = make_backend({});
    Vae vae({}, 20, *backend);
    EXPECT_TRUE(vae.parameters().operands.empty());
    vae.refresh_operands();
}

}  // namespace
}  // namespace vae_dist
