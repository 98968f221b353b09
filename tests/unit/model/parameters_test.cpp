#include "vae_dist/graph/parameters.hpp"

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

TEST(ParameterLayout, AnUnknownNameIsABugAndSoIsOneThatIsThereAlready) {
    ParameterLayout layout;
    EXPECT_THROW(layout.find("a"), Error);
    layout.add({{"a", {2}}});
    EXPECT_THROW(layout.add({{"b", {2}}, {"a", {3}}}), Error);
}

TEST(ParameterStore, AdoptedMemoryHoldsWhatTheArraysHeldAndServesFromThenOn) {
    const auto backend = make_backend({});
    ParameterLayout layout;
    layout.add({{"a", {3, 5}}});
    for (const Precision precision : {Precision::float32, Precision::bfloat16}) {
        ParameterStore store(layout, precision, *backend);
        backend->fill(store.values, 2);
        backend->fill(store.gradients, 3);
        store.refresh_operands(*backend, 0, layout.size());
        Buffer values = backend->allocate(1000);
        Buffer gradients = backend->allocate(1000);
        Buffer operands = precision == Precision::float32 ? Buffer() : backend->allocate(1000);
        const float* const first = values.as<float>();
        store.adopt(*backend, std::move(values), std::move(gradients), std::move(operands));
        EXPECT_EQ(store.values.data(), first);
        EXPECT_EQ(store.values.size(), 16U);
        EXPECT_EQ(store.values[15], 2);
        EXPECT_EQ(store.gradients[15], 3);
        ASSERT_EQ(store.operands.size(), precision == Precision::float32 ? 0U : 16U);
        for (const BFloat16 operand : store.operands)
            EXPECT_EQ(to_float(operand), 2);
    }
}

TEST(ParameterStore, AdoptsNoMemoryThatIsTooSmall) {
    const auto backend = make_backend({});
    ParameterLayout layout;
    layout.add({{"a", {3, 5}}});
    ParameterStore store(layout, Precision::float32, *backend);
    EXPECT_THROW(store.adopt(*backend, backend->allocate(60), backend->allocate(64), {}), Error);
}

TEST(Vae, ParametersHaveTheNamesAndShapesOfTheCheckpointFormat) {
    const auto backend = make_backend({});
    ModelConfig config;
    config.latent_dim = 3;
    config.encoder.hidden = {7, 6};
    config.decoder.hidden = {5};
    config.likelihood.kind = LikelihoodKind::gaussian;
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
    EXPECT_TRUE(vae.layout().find("decoder/log_variance").is_vector());
    EXPECT_FALSE(vae.layout().find("decoder/output/weight").is_vector());
}

}  // namespace
}  // namespace vae_dist
