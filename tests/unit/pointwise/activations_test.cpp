#include "vae_dist/pointwise/activations.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>

namespace vae_dist {
namespace {

template <class One>
class ActivationTest : public testing::Test {};

template <class... One>
testing::Types<One...> types_of(std::tuple<One...>);
using AllActivations = decltype(types_of(Activations()));
TYPED_TEST_SUITE(ActivationTest, AllActivations);

TYPED_TEST(ActivationTest, DerivativeIsThatOfTheValue) {
    // Not 0, where relu has none.
    for (const double x : {-30.0, -5.0, -1.5, -0.3, -1e-3, 1e-3, 0.4, 2.0, 9.0}) {
        constexpr double kStep = 1e-6;
        const double difference = (TypeParam::value(x + kStep) - TypeParam::value(x - kStep)) / (2 * kStep);
        EXPECT_NEAR(TypeParam::derivative(x, TypeParam::value(x)), difference, 1e-9) << x;
    }
}

TYPED_TEST(ActivationTest, DerivativeNeedsTheArgumentWhereItSaysSo) {
    const double y = TypeParam::value(0.7);
    const double without = TypeParam::derivative(std::numeric_limits<double>::quiet_NaN(), y);
    EXPECT_EQ(std::isnan(without), TypeParam::kNeedsArgument);
}

TYPED_TEST(ActivationTest, NotANumberStaysVisible) {
    EXPECT_TRUE(std::isnan(TypeParam::value(std::numeric_limits<double>::quiet_NaN())));
    EXPECT_TRUE(std::isnan(TypeParam::value(std::numeric_limits<float>::quiet_NaN())));
}

TEST(Activations, StandInTheOrderOfTheirNames) {
    const auto name = [](Activation activation) {
        return std::string(with_activation(activation, [](auto one) { return decltype(one)::kName; }));
    };
    EXPECT_EQ(name(Activation::relu), "relu");
    EXPECT_EQ(name(Activation::tanh), "tanh");
    EXPECT_EQ(name(Activation::gelu), "gelu");
    EXPECT_EQ(name(Activation::silu), "silu");
    EXPECT_EQ(name(Activation::softplus), "softplus");
    EXPECT_EQ(name(Activation::elu), "elu");
    for (std::size_t i = 0; i < kActivationNames.size(); ++i)
        EXPECT_EQ(name(static_cast<Activation>(i)), kActivationNames[i]);
}

// All but tanh, whose values are as far from 0 on either side.
TEST(Activations, SayWhetherTheyAreZeroOnHalf) {
    for (std::size_t i = 0; i < kActivationNames.size(); ++i) {
        const auto activation = static_cast<Activation>(i);
        EXPECT_EQ(is_zero_on_half(activation), activation != Activation::tanh) << kActivationNames[i];
    }
}

TEST(Activations, KeepTheirArgumentOnlyWhereTheValueDoesNotTellTheDerivative) {
    EXPECT_TRUE(keeps_preactivation(Activation::gelu));
    EXPECT_TRUE(keeps_preactivation(Activation::silu));
    EXPECT_FALSE(keeps_preactivation(Activation::relu));
    EXPECT_FALSE(keeps_preactivation(Activation::softplus));
}

}  // namespace
}  // namespace vae_dist
