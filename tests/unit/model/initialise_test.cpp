#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "vae_dist/model/vae.hpp"

namespace vae_dist {
namespace {

ModelConfig wide_model(Activation activation) {
    ModelConfig config;
    config.latent_dim = 40;
    config.encoder.hidden = {300};
    config.decoder.hidden = {200};
    config.activation = activation;
    return config;
}

std::vector<float> values_of(const Vae& vae, const std::string& name) {
    const Parameter& parameter = vae.layout().find(name);
    const float* first = vae.parameters().values.data() + parameter.offset;
    return {first, first + parameter.size()};
}

double deviation(const std::vector<float>& values) {
    double squares = 0;
    for (const float v : values)
        squares += static_cast<double>(v) * v;
    return std::sqrt(squares / static_cast<double>(values.size()));
}

TEST(Initialise, HiddenWeightsBeforeReluFollowHe) {
    const auto backend = make_backend({});
    Vae vae(wide_model(Activation::relu), 100, *backend);
    vae.initialise(1);
    EXPECT_NEAR(deviation(values_of(vae, "encoder/0/weight")), std::sqrt(2.0 / 100),
                0.02 * std::sqrt(2.0 / 100));
}

TEST(Initialise, HeadsOutputAndTanhLayersFollowGlorot) {
    const auto backend = make_backend({});
    Vae vae(wide_model(Activation::tanh), 100, *backend);
    vae.initialise(1);
    const auto expect_glorot = [&](const std::string& name, double in, double out) {
        const double expected = std::sqrt(2 / (in + out));
        EXPECT_NEAR(deviation(values_of(vae, name)), expected, 0.03 * expected) << name;
    };
    expect_glorot("encoder/0/weight", 100, 300);
    expect_glorot("encoder/mean/weight", 300, 40);
    expect_glorot("decoder/output/weight", 200, 100);
}

TEST(Initialise, BiasesAreZeroAndLayersDiffer) {
    const auto backend = make_backend({});
    Vae vae(wide_model(Activation::relu), 100, *backend);
    vae.initialise(1);
    for (const float bias : values_of(vae, "decoder/0/bias"))
        EXPECT_EQ(bias, 0);
    EXPECT_NE(values_of(vae, "encoder/mean/weight"), values_of(vae, "decoder/0/weight"));
}

TEST(Initialise, LogVariancesStartAtZero) {
    const auto backend = make_backend({});
    ModelConfig config = wide_model(Activation::relu);
    config.likelihood = {LikelihoodKind::gaussian, VarianceKind::decoder};
    Vae vae(config, 100, *backend);
    vae.initialise(1);
    for (const std::string name : {"encoder/log_variance/weight", "decoder/log_variance/weight"})
        for (const float weight : values_of(vae, name))
            EXPECT_EQ(weight, 0) << name;
}

TEST(Initialise, AMixturesMeansAreDrawnAndAllElseOfItIsZero) {
    const auto backend = make_backend({});
    ModelConfig config = wide_model(Activation::relu);
    config.prior = {PriorKind::mixture, 500};
    Vae vae(config, 100, *backend);
    vae.initialise(1);
    EXPECT_EQ(vae.layout().find("prior/mean").shape, (std::vector<std::int64_t>{500, 40}));
    EXPECT_NEAR(deviation(values_of(vae, "prior/mean")), 1, 0.03);
    EXPECT_EQ(deviation(values_of(vae, "prior/log_variance")), 0);
    EXPECT_EQ(deviation(values_of(vae, "prior/logit")), 0);
}

TEST(Initialise, TheSeedAloneDecides) {
    const auto backend = make_backend({});
    Vae first(wide_model(Activation::relu), 100, *backend);
    Vae second(wide_model(Activation::relu), 100, *backend);
    first.initialise(1);
    second.initialise(1);
    EXPECT_EQ(values_of(first, "encoder/0/weight"), values_of(second, "encoder/0/weight"));
    second.initialise(2);
    EXPECT_NE(values_of(first, "encoder/0/weight"), values_of(second, "encoder/0/weight"));
}

TEST(Initialise, AWeightsNameDecidesAndNotWhatElseAModelHas) {
    const auto backend = make_backend({});
    ModelConfig config = wide_model(Activation::relu);
    Vae one(config, 100, *backend);
    config.decoder.hidden = {70, 200};
    config.likelihood = {LikelihoodKind::gaussian};
    Vae other(config, 100, *backend);
    one.initialise(1);
    other.initialise(1);
    for (const std::string name : {"encoder/0/weight", "encoder/mean/weight", "decoder/output/weight"})
        EXPECT_EQ(values_of(one, name), values_of(other, name)) << name;
    EXPECT_NE(values_of(one, "decoder/0/weight"), values_of(other, "decoder/0/weight"));
}

TEST(Initialise, OutputBiasIsTheLogitOfTheClippedMean) {
    const auto backend = make_backend({});
    Vae vae(wide_model(Activation::relu), 3, *backend);
    vae.start_from(std::vector<double>{0, 0.25, 1});
    const std::vector<float> bias = values_of(vae, "decoder/output/bias");
    EXPECT_FLOAT_EQ(bias[0], static_cast<float>(std::log(0.001 / 0.999)));
    EXPECT_FLOAT_EQ(bias[1], static_cast<float>(std::log(1.0 / 3.0)));
    EXPECT_FLOAT_EQ(bias[2], static_cast<float>(std::log(0.999 / 0.001)));
}

}  // namespace
}  // namespace vae_dist
