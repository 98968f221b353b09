#include <cmath>
#include <limits>
#include <numbers>

#include "backend_suite.hpp"

namespace vae_dist {
namespace {

// A density, its formula in double, independent of the program's, and numbers that it is for.
struct DensityCase {
    std::string name;
    DensityOfFeatures density;
    std::function<double(double x, const std::vector<double>& parameters)> log_density;
    std::function<double(std::size_t block, double number)> parameter;  // of the decoder's number for it
    bool unit_data = false;
};

double log_bernoulli(double x, const std::vector<double>& parameters) {
    const double logit = parameters[0];
    return x * logit - std::max(logit, 0.0) - std::log1p(std::exp(-std::abs(logit)));
}
double log_gaussian(double x, const std::vector<double>& parameters) {
    const double square = (x - parameters[0]) * (x - parameters[0]) / std::exp(parameters[1]);
    return -0.5 * (std::log(2 * std::numbers::pi) + parameters[1] + square);
}
double logistic(double x) {
    return 1 / (1 + std::exp(-x));
}
double probability(std::size_t, double logit) {
    return logistic(logit);
}
double mean_or_bounded_log_variance(std::size_t block, double number) {
    return block == 0 ? number : std::max(number, -10.0);
}

const std::vector<DensityCase> kDensityCases = {
    {"bernoulli", {LikelihoodKind::bernoulli, false}, log_bernoulli, probability, true},
    {"gaussian, variance of features",
     {LikelihoodKind::gaussian, true},
     log_gaussian,
     mean_or_bounded_log_variance},
    {"gaussian, variance of the decoder",
     {LikelihoodKind::gaussian, false},
     log_gaussian,
     mean_or_bounded_log_variance},
};

// Arrays of B samples with K draws each, in backend memory.
struct DensityArrays {
    DensityArrays(Backend& backend, const DensityCase& of, std::int64_t samples, std::int64_t drawn,
                  std::int64_t features, MemoryPlace place, float spread = 1)
        : density(of.density),
          output(normal_values(drawn * of.density.blocks() * features, 1, spread)),
          x(of.unit_data ? unit_values(samples * features, 2) : normal_values(samples * features, 2)),
          shared(normal_values(features, 3)),
          weights(unit_values(drawn, 4)),
          output_there(backend, drawn, of.density.blocks() * features, output, place),
          x_there(backend, samples, features, x, place),
          shared_there(backend, 1, features, shared, place),
          weights_there(backend, 1, drawn, weights, place),
          log_likelihood(backend, 1, drawn, place),
          gradient(backend, drawn, of.density.blocks() * features, place),
          half_gradient(backend, drawn, of.density.blocks() * features, place),
          shared_gradient(backend, 1, features, place) {}

    DensityOperands without_gradient() const {
        return {.output = output_there.view(),
                .x = x_there.view(),
                .shared = density.shared ? shared_there.data() : nullptr,
                .log_likelihood = log_likelihood.data()};
    }
    DensityOperands with_gradient(Operand to) const {
        DensityOperands operands = without_gradient();
        operands.weights = weights_there.data();
        operands.gradient = to;
        operands.shared_gradient = density.shared ? shared_gradient.data() : nullptr;
        return operands;
    }
    std::vector<float> results() const {
        std::vector<float> all = log_likelihood.get();
        append(all, gradient.get());
        append(all, half_gradient.get());
        if (density.shared) append(all, shared_gradient.get());
        return all;
    }

    DensityOfFeatures density;
    std::vector<float> output, x, shared, weights;
    Tensor output_there, x_there, shared_there, weights_there;
    Tensor log_likelihood, gradient;
    HalfTensor half_gradient;
    Tensor shared_gradient;
};

// What a density should give, from its formula; derivatives by central differences of it.
struct Expected {
    std::vector<double> log_likelihood, gradient, shared_gradient;

    Expected(const DensityCase& of, const DensityArrays& arrays, std::size_t features, std::size_t draws)
        : log_likelihood(arrays.weights.size()), gradient(arrays.output.size()), shared_gradient(features) {
        const auto blocks = static_cast<std::size_t>(of.density.blocks());
        for (std::size_t r = 0; r < log_likelihood.size(); ++r) {
            for (std::size_t d = 0; d < features; ++d) {
                const double x = arrays.x[r / draws * features + d];
                std::vector<double> parameters;
                for (std::size_t block = 0; block < blocks; ++block)
                    parameters.push_back(arrays.output[(r * blocks + block) * features + d]);
                if (of.density.shared) parameters.push_back(arrays.shared[d]);
                log_likelihood[r] += of.log_density(x, parameters);
                for (std::size_t p = 0; p < parameters.size(); ++p) {
                    const double derivative = -arrays.weights[r] * slope(of, x, parameters, p);
                    if (p < blocks) {
                        gradient[(r * blocks + p) * features + d] = derivative;
                    } else {
                        shared_gradient[d] += derivative;
                    }
                }
            }
        }
    }

 private:
    static double slope(const DensityCase& of, double x, std::vector<double> parameters, std::size_t p) {
        constexpr double kStep = 1e-4;
        const double at = parameters[p];
        parameters[p] = at + kStep;
        const double above = of.log_density(x, parameters);
        parameters[p] = at - kStep;
        return (above - of.log_density(x, parameters)) / (2 * kStep);
    }
};

// Samples with one draw and with three, each draw with a weight of its own.
TEST_P(BackendTest, DensitiesAreTheirFormulasAndGradients) {
    for (const DensityCase& of : kDensityCases) {
        SCOPED_TRACE(of.name);
        for (const std::int64_t draws : {1, 3}) {
            for_shapes([&](std::int64_t rows, std::int64_t features, MemoryPlace place) {
                const DensityArrays arrays(backend(), of, rows, rows * draws, features, place);
                const Expected expected(of, arrays, static_cast<std::size_t>(features),
                                        static_cast<std::size_t>(draws));
                run_density(backend(), of.density, arrays.with_gradient(arrays.gradient.view()));
                const std::vector<float> log_likelihood = arrays.log_likelihood.get();
                const std::vector<float> gradient = arrays.gradient.get();
                expect_near(log_likelihood, expected.log_likelihood, 2e-6);
                expect_near(gradient, expected.gradient, 2e-6);
                if (of.density.shared) {
                    expect_near(arrays.shared_gradient.get(), expected.shared_gradient, 3e-6);
                }

                run_density(backend(), of.density, arrays.without_gradient());
                EXPECT_EQ(arrays.log_likelihood.get(), log_likelihood);
                run_density(backend(), of.density, arrays.with_gradient(arrays.half_gradient.view()));
                EXPECT_EQ(arrays.log_likelihood.get(), log_likelihood);
                EXPECT_EQ(arrays.half_gradient.get(), rounded(gradient));
                run_density(backend(), of.density, arrays.with_gradient(arrays.output_there.view()));
                EXPECT_EQ(arrays.output_there.get(), gradient) << "in the place of the output";
            });
        }
    }
}

TEST_P(BackendTest, DensitiesOfNotANumberAreNotANumber) {
    constexpr std::int64_t kFeatures = 33;
    const auto last_is_nan = [&](std::int64_t size) {
        std::vector<float> values(static_cast<std::size_t>(size), 0.5F);
        values.back() = std::numeric_limits<float>::quiet_NaN();
        return values;
    };
    for (const DensityCase& of : kDensityCases) {
        SCOPED_TRACE(of.name);
        DensityArrays arrays(backend(), of, 1, 1, kFeatures, {});
        const std::int64_t numbers = of.density.blocks() * kFeatures;
        const Tensor bad(backend(), 1, numbers, last_is_nan(numbers));
        DensityOperands operands = arrays.with_gradient(arrays.gradient.view());
        operands.output = bad.view();
        run_density(backend(), of.density, operands);
        EXPECT_TRUE(std::isnan(arrays.log_likelihood.get()[0]));
        EXPECT_TRUE(std::isnan(arrays.gradient.get().back()));

        const Tensor bad_x(backend(), 1, kFeatures, last_is_nan(kFeatures));
        operands = arrays.with_gradient(arrays.gradient.view());
        operands.x = bad_x.view();
        run_density(backend(), of.density, operands);
        EXPECT_TRUE(std::isnan(arrays.log_likelihood.get()[0]));
        EXPECT_TRUE(std::isnan(arrays.gradient.get()[kFeatures - 1]));

        if (!of.density.shared) continue;
        const Tensor bad_shared(backend(), 1, kFeatures, last_is_nan(kFeatures));
        operands = arrays.with_gradient(arrays.gradient.view());
        operands.shared = bad_shared.data();
        run_density(backend(), of.density, operands);
        EXPECT_TRUE(std::isnan(arrays.log_likelihood.get()[0]));
        EXPECT_TRUE(std::isnan(arrays.shared_gradient.get().back()));
    }
}

TEST_P(BackendTest, DensitiesDoNotDependOnWhereAMatrixLies) {
    for (const DensityCase& of : kDensityCases) {
        SCOPED_TRACE(of.name);
        expect_same_bits_everywhere([&](std::int64_t offset) {
            const MemoryPlace place{offset % 3 == 0 ? 5 : 0, offset};
            const DensityArrays arrays(backend(), of, 3, 3, 45, place, 2);
            run_density(backend(), of.density, arrays.with_gradient(arrays.half_gradient.view()));
            run_density(backend(), of.density, arrays.with_gradient(arrays.gradient.view()));
            return arrays.results();
        });
    }
}

TEST_P(BackendTest, ADensitysParametersAreMadeOfTheDecodersNumbers) {
    for (const DensityCase& of : kDensityCases) {
        SCOPED_TRACE(of.name);
        for_shapes([&](std::int64_t rows, std::int64_t features, MemoryPlace place) {
            const DensityArrays arrays(backend(), of, rows, rows, features, place, 5);
            const FloatMatrix output = arrays.output_there.view();
            run_operation(backend(), DensityParameters{of.density}, {output}, {output});
            const std::vector<float> parameters = arrays.output_there.get();
            std::vector<double> expected(arrays.output.begin(), arrays.output.end());
            const auto blocks = static_cast<std::size_t>(of.density.blocks());
            const auto d = static_cast<std::size_t>(features);
            for (std::size_t i = 0; i < expected.size(); ++i)
                expected[i] = of.parameter(i / d % blocks, expected[i]);
            expect_near(parameters, expected, 1e-6);
        });
    }
    const Tensor extreme(backend(), 1, 3, {-1e30F, 1e30F, std::numeric_limits<float>::quiet_NaN()});
    const DensityOfFeatures bernoulli = {LikelihoodKind::bernoulli, false};
    run_operation(backend(), DensityParameters{bernoulli}, {extreme.view()}, {extreme.view()});
    EXPECT_EQ(extreme.get()[0], 0);
    EXPECT_EQ(extreme.get()[1], 1);
    EXPECT_TRUE(std::isnan(extreme.get()[2]));
}

TEST_P(BackendTest, BernoulliHoldsForExtremeLogits) {
    for (const float logit : {-1e30F, -1e4F, -100.0F, -20.0F, 20.0F, 100.0F, 1e4F, 1e30F}) {
        for (const float x : {0.0F, 1.0F}) {
            const Tensor logits(backend(), 1, 1, std::vector{logit});
            const Tensor target(backend(), 1, 1, std::vector{x});
            const Tensor one(backend(), 1, 1, std::vector{1.0F});
            const Tensor likelihood(backend(), 1, 1);
            const Tensor gradient(backend(), 1, 1);
            run_density(backend(), {LikelihoodKind::bernoulli, false},
                        {.output = logits.view(),
                         .x = target.view(),
                         .weights = one.data(),
                         .log_likelihood = likelihood.data(),
                         .gradient = gradient.view()});
            expect_near(likelihood.get(), {log_bernoulli(x, {logit})}, 1e-6);
            expect_near(gradient.get(), {logistic(logit) - x}, 1e-6);
        }
    }
}

TEST_P(BackendTest, ALogVarianceAtItsLeastIsOnlyPulledUp) {
    const std::vector<float> log_variances = {kMinLogVariance, kMinLogVariance - 1, kMinLogVariance,
                                              kMinLogVariance + 1};
    const std::vector<float> means = {0, 0, 1, 0};
    const auto expect_limited = [](const std::vector<float>& gradient) {
        EXPECT_EQ(gradient[0], 0);
        EXPECT_EQ(gradient[1], 0);
        EXPECT_LT(gradient[2], 0);
        EXPECT_EQ(gradient[3], 0.5F);
    };
    const Tensor x(backend(), 1, 4, {0, 0, 0, 0});
    const Tensor one(backend(), 1, 1, std::vector{1.0F});
    const Tensor likelihood(backend(), 1, 1);
    const Tensor dmean(backend(), 1, 4);
    const Tensor shared(backend(), 1, 4, log_variances);
    const Tensor of_shared(backend(), 1, 4);
    const Tensor mean(backend(), 1, 4, means);
    run_density(backend(), {LikelihoodKind::gaussian, true},
                {.output = mean.view(),
                 .x = x.view(),
                 .shared = shared.data(),
                 .weights = one.data(),
                 .log_likelihood = likelihood.data(),
                 .gradient = dmean.view(),
                 .shared_gradient = of_shared.data()});
    expect_limited(of_shared.get());

    std::vector<float> both = means;
    append(both, log_variances);
    const Tensor output(backend(), 1, 8, both);
    const Tensor of_output(backend(), 1, 8);
    run_density(backend(), {LikelihoodKind::gaussian, false},
                {.output = output.view(),
                 .x = x.view(),
                 .weights = one.data(),
                 .log_likelihood = likelihood.data(),
                 .gradient = of_output.view()});
    const std::vector<float> gradients = of_output.get();
    expect_limited({gradients.begin() + 4, gradients.end()});
}

}  // namespace
}  // namespace vae_dist
