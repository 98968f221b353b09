#include "vae_dist/pointwise/posterior.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace vae_dist {
namespace {

struct Point {
    double mean, s, epsilon, slope;
};
constexpr Point kPoints[] = {
    {0.3, -1.2, 0.7, 1.5}, {-2, 0.4, -1.1, -0.2}, {0, 0, 2, 1}, {0.05, 0.1, -0.3, 3}};

// Central differences of f(mean, s), against derivatives.
template <class F>
void expect_derivatives(const F& f, const Point& at, double by_mean, double by_s) {
    constexpr double kStep = 1e-6;
    const auto difference = [](double above, double below) { return (above - below) / (2 * kStep); };
    EXPECT_NEAR(by_mean, difference(f(at.mean + kStep, at.s), f(at.mean - kStep, at.s)), 1e-8);
    EXPECT_NEAR(by_s, difference(f(at.mean, at.s + kStep), f(at.mean, at.s - kStep)), 1e-8);
}

TEST(Posterior, KlIsThatOfTheDensities) {
    // By its integral.
    for (const auto& [mean, s, epsilon, slope] : kPoints) {
        const double deviation = std::exp(0.5 * s);
        double integral = 0;
        constexpr double kStep = 1e-3;
        for (int i = -12000; i < 12000; ++i) {
            const double e = i * kStep;
            const double z = mean + deviation * e;
            const double log_ratio = -0.5 * (e * e + s) + 0.5 * z * z;
            integral += kStep * normal_density(e) * log_ratio;
        }
        EXPECT_NEAR(kl_of(mean, s), integral, 1e-6);
    }
}

TEST(Posterior, LogRatioIsThatOfTheDensities) {
    for (const auto& [mean, s, epsilon, slope] : kPoints) {
        const double z = latent_of(mean, s, epsilon);
        const double log_prior = std::log(normal_density(z));
        const double log_posterior = std::log(normal_density((z - mean) / std::exp(s / 2))) - s / 2;
        EXPECT_NEAR(0.5 * twice_log_ratio_of(s, epsilon, z), log_prior - log_posterior, 1e-12);
    }
}

TEST(Posterior, DerivativesAreThoseOfTheObjective) {
    for (const Point& at : kPoints) {
        for (const float free_bits : {0.0F, 0.25F}) {
            const float kl_weight = 0.5F;
            const auto objective = [&](double mean, double s) {
                return at.slope * latent_of(mean, s, at.epsilon) +
                       kl_weight * std::max<double>(free_bits, kl_of(mean, s));
            };
            const auto found =
                posterior_derivatives(at.mean, at.s, at.epsilon, at.slope, kl_weight, free_bits);
            expect_derivatives(objective, at, found.mean, found.log_variance);
        }
    }
}

TEST(Posterior, WeighedDerivativesAreThoseOfTheObjective) {
    for (const Point& at : kPoints) {
        const float beta_weight = 0.75F;
        const auto objective = [&](double mean, double s) {
            const double z = latent_of(mean, s, at.epsilon);
            return at.slope * z -
                   0.5 * static_cast<double>(beta_weight) * twice_log_ratio_of(s, at.epsilon, z);
        };
        const double z = latent_of(at.mean, at.s, at.epsilon);
        const double by_latent = weighed_latent_derivative(at.slope, z, beta_weight);
        expect_derivatives(objective, at, by_latent,
                           weighed_log_variance_derivative(at.s, by_latent * at.epsilon, beta_weight));
    }
}

}  // namespace
}  // namespace vae_dist
