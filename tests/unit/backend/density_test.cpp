#include <cmath>
#include <limits>
#include <numbers>

#include "operation_suite.hpp"

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

std::vector<DensityCase> density_cases() {
    return {
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
}

// The parameters of feature d in row r; the last one, if it is shared, is input 2.
std::vector<double> parameters_at(const DensityCase& of, NumbersView inputs, std::int64_t r, std::int64_t d) {
    const std::int64_t features = inputs[1].columns;
    std::vector<double> parameters;
    for (int block = 0; block < of.density.blocks(); ++block)
        parameters.push_back(inputs[0](r, block * features + d));
    if (of.density.shared) parameters.push_back(inputs[2](0, d));
    return parameters;
}

Numbers log_likelihoods(const DensityCase& of, NumbersView inputs) {
    Numbers sums(inputs[0].rows, 1);
    for (std::int64_t r = 0; r < sums.rows; ++r) {
        for (std::int64_t d = 0; d < inputs[1].columns; ++d)
            sums(r, 0) +=
                of.log_density(inputs[1](r * inputs[1].rows / sums.rows, d), parameters_at(of, inputs, r, d));
    }
    return sums;
}

// With derivatives by central differences of the formula.
std::vector<Numbers> likelihoods_and_gradients(const DensityCase& of, NumbersView inputs) {
    constexpr double kStep = 1e-4;
    const Numbers& weights = inputs[of.density.shared ? 3 : 2];
    const std::int64_t features = inputs[1].columns;
    Numbers gradient(inputs[0].rows, inputs[0].columns);
    Numbers shared(1, features);
    for (std::int64_t r = 0; r < gradient.rows; ++r) {
        for (std::int64_t d = 0; d < features; ++d) {
            const double x = inputs[1](r * inputs[1].rows / gradient.rows, d);
            const std::vector<double> at = parameters_at(of, inputs, r, d);
            for (std::size_t p = 0; p < at.size(); ++p) {
                std::vector<double> above = at;
                std::vector<double> below = at;
                above[p] += kStep;
                below[p] -= kStep;
                const double slope = (of.log_density(x, above) - of.log_density(x, below)) / (2 * kStep);
                const bool is_shared = of.density.shared && p + 1 == at.size();
                double& to =
                    is_shared ? shared(0, d) : gradient(r, static_cast<std::int64_t>(p) * features + d);
                to -= weights(r, 0) * slope;
            }
        }
    }
    std::vector<Numbers> all = {log_likelihoods(of, inputs), gradient};
    if (of.density.shared) all.push_back(shared);
    return all;
}

std::vector<OperationCase> cases_of(const DensityCase& of, std::int64_t draws) {
    const auto inputs = [=](const Sizes& sizes) {
        std::vector<CaseInput> all = {normal_input(draw_shape(of.density.blocks() * sizes.columns))};
        all.push_back(of.unit_data ? unit_input(sample_shape(sizes.columns))
                                   : normal_input(sample_shape(sizes.columns)));
        if (of.density.shared) all.push_back(normal_input(fixed_shape(1, sizes.columns)));
        return all;
    };
    const auto with_weights = [=](const Sizes& sizes) {
        std::vector<CaseInput> all = inputs(sizes);
        all.push_back(unit_input(draw_shape(1)));
        return all;
    };
    // The gradient with respect to the log-likelihood is minus its weights.
    const auto minimised = [=](NumbersView values, NumbersView weights, const Pass&) {
        const Numbers sums = log_likelihoods(of, values);
        double objective = 0;
        for (std::int64_t r = 0; r < sums.rows; ++r)
            objective -= weights[0](r, 0) * sums(r, 0);
        return objective;
    };
    const std::string variant = of.name + ", " + std::to_string(draws) + " draws";
    return {
        {.operation = Density{of.density},
         .variant = variant,
         .inputs = inputs,
         .outputs = [=](NumbersView values, const Pass&) { return std::vector{log_likelihoods(of, values)}; },
         .pass = {.draws = draws},
         .rules = {{.minimised = minimised}}},
        {.operation = DensityGradient{of.density},
         .variant = variant,
         .inputs = with_weights,
         .outputs = [=](NumbersView values, const Pass&) { return likelihoods_and_gradients(of, values); },
         .pass = {.draws = draws},
         .tolerance = 3e-6},
        {.operation = DensityParameters{of.density},
         .variant = variant,
         .inputs =
             [=](const Sizes& sizes) {
                 return std::vector{normal_input(draw_shape(of.density.blocks() * sizes.columns), 5)};
             },
         .outputs =
             [=](NumbersView values, const Pass&) {
                 Numbers parameters = values[0];
                 const std::int64_t features = parameters.columns / of.density.blocks();
                 for (std::int64_t r = 0; r < parameters.rows; ++r) {
                     for (std::int64_t c = 0; c < parameters.columns; ++c) {
                         const auto block = static_cast<std::size_t>(c / features);
                         parameters(r, c) = of.parameter(block, parameters(r, c));
                     }
                 }
                 return std::vector{parameters};
             },
         .pass = {.draws = draws}}};
}

const OperationFamily kDensities("densities", [] {
    std::vector<OperationCase> all;
    for (const DensityCase& of : density_cases()) {
        for (const std::int64_t draws : {1, 3}) {
            std::vector<OperationCase> cases = cases_of(of, draws);
            all.insert(all.end(), cases.begin(), cases.end());
        }
    }
    return all;
});

TEST_P(BackendTest, ProbabilitiesHoldForExtremeLogits) {
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
