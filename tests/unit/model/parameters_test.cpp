#include "vae_dist/model/parameters.hpp"

#include <gtest/gtest.h>

#include "vae_dist/core/error.hpp"
#include "vae_dist/model/vae.hpp"

namespace vae_dist {
namespace {

TEST(ParameterLayout, StackedArraysLieWithoutAGapAndTheNextBeginsOnACacheLine) {
    ParameterLayout layout;
    EXPECT_EQ(layout.add({{"a", {3, 5}}, {"b", {3, 5}}}), 0);
    EXPECT_EQ(layout.add({{"c", {2}}}), 32);
    EXPECT_EQ(layout.find("b").offset, 15);
    EXPECT_EQ(layout.size(), 48);
    EXPECT_EQ(layout.parameter_count(), 32);
}

TEST(ParameterLayout, AnUnknownNameIsABug) {
    const ParameterLayout layout;
    EXPECT_THROW(layout.find("a"), Error);
}

TEST(Vae, ParametersHaveTheNamesAndShapesOfTheCheckpointFormat) {
    const auto backend = make_backend({});
    ModelConfig config;
    config.latent_dim = 3;
    config.encoder.hidden = {7, 6};
    config.decoder.hidden = {5};
    config.likelihood = LikelihoodKind::gaussian;
    const Vae vae(config, 11, *backend);
    const std::vector<std::pair<std::string, std::vector<std::int64_t>>> expected = {
        {"encoder/0/weight", {7, 11}},
        {"encoder/0/bias", {7}},
        {"encoder/1/weight", {6, 7}},
        {"encoder/1/bias", {6}},
        {"encoder/mean/weight", {3, 6}},
        {"encoder/mean/bias", {3}},
        {"encoder/log_variance/weight", {3, 6}},
        {"encoder/log_variance/bias", {3}},
        {"decoder/0/weight", {5, 3}},
        {"decoder/0/bias", {5}},
        {"decoder/output/weight", {11, 5}},
        {"decoder/output/bias", {11}},
        {"decoder/log_variance", {11}},
    };
    for (const auto& [name, shape] : expected)
        EXPECT_EQ(vae.layout().find(name).shape, shape) << name;
    EXPECT_EQ(vae.layout().parameters().size(), expected.size());
}

}  // namespace
}  // namespace vae_dist
