#include <algorithm>
#include <cmath>
#include <numbers>

#include "operation_suite.hpp"
#include "vae_dist/pointwise/densities/gaussian.hpp"

namespace vae_dist {
namespace {

// The mixture by its definition: log weight_c N(z; mean_c, variance_c) of each draw and component.
std::vector<Numbers> mixture_density(NumbersView inputs, const Pass&) {
    const Numbers& latent = inputs[MixtureDensity::kLatent];
    const Numbers& mean = inputs[MixtureDensity::kMean];
    const Numbers& log_variance = inputs[MixtureDensity::kLogVariance];
    const Numbers& logit = inputs[MixtureDensity::kLogit];
    double all_weights = 0;
    for (const double value : logit.values)
        all_weights += std::exp(value);
    Numbers log_density(latent.rows, 1);
    Numbers responsibilities(latent.rows, mean.rows);
    for (std::int64_t r = 0; r < latent.rows; ++r) {
        double largest = -INFINITY;
        for (std::int64_t c = 0; c < mean.rows; ++c) {
            double log_joint = logit(0, c) - std::log(all_weights);
            for (std::int64_t z = 0; z < latent.columns; ++z) {
                const double s = std::max<double>(log_variance(c, z), kMinLogVariance);
                const double difference = latent(r, z) - mean(c, z);
                log_joint -=
                    0.5 * (std::log(2 * std::numbers::pi) + s + difference * difference / std::exp(s));
            }
            responsibilities(r, c) = log_joint;
            largest = std::max(largest, log_joint);
        }
        double sum = 0;
        for (std::int64_t c = 0; c < mean.rows; ++c)
            sum += std::exp(responsibilities(r, c) - largest);
        log_density(r, 0) = largest + std::log(sum);
        for (std::int64_t c = 0; c < mean.rows; ++c)
            responsibilities(r, c) = std::exp(responsibilities(r, c) - log_density(r, 0));
    }
    return {log_density, responsibilities};
}

double minimised(NumbersView inputs, NumbersView gradients, const Pass& pass) {
    const Numbers log_density = mixture_density(inputs, pass)[MixtureDensity::kLogDensity];
    double sum = 0;
    for (std::int64_t r = 0; r < log_density.rows; ++r)
        sum -= pass.beta * gradients[0](r, 0) * log_density(r, 0);
    return sum;
}

std::vector<CaseInput> mixture_inputs(const Sizes& sizes, float spread) {
    return {normal_input(draw_shape(sizes.columns), spread),
            normal_input(fixed_shape(sizes.inner, sizes.columns)),
            normal_input(fixed_shape(sizes.inner, sizes.columns)), normal_input(fixed_shape(1, sizes.inner))};
}

OperationCase density_case(const std::string& variant, std::int64_t draws, float spread) {
    return {.operation = MixtureDensity{},
            .variant = variant,
            .inputs = [=](const Sizes& sizes) { return mixture_inputs(sizes, spread); },
            .outputs = mixture_density,
            .pass = {.draws = draws, .beta = 0.75},
            .tolerance = 2e-5,
            .rules = {{.outputs = {MixtureDensity::kLogDensity}, .minimised = minimised, .tolerance = 3e-5}}};
}

// The responsibilities are an input, and so not those of the mixture.
std::vector<Numbers> mixture_gradient(NumbersView inputs, const Pass& pass) {
    const Numbers& latent = inputs[MixtureDensity::kLatent];
    const Numbers& mean = inputs[MixtureDensity::kMean];
    const Numbers& log_variance = inputs[MixtureDensity::kLogVariance];
    const Numbers& logit = inputs[MixtureDensity::kLogit];
    double all_weights = 0;
    for (const double value : logit.values)
        all_weights += std::exp(value);
    std::vector<Numbers> gradients = {Numbers(latent.rows, latent.columns), Numbers(mean.rows, mean.columns),
                                      Numbers(mean.rows, mean.columns), Numbers(1, mean.rows)};
    for (std::int64_t r = 0; r < latent.rows; ++r) {
        for (std::int64_t c = 0; c < mean.rows; ++c) {
            const double of_row = pass.beta * inputs[MixtureGradient::kWeights](r, 0);
            const double weight = of_row * inputs[MixtureGradient::kResponsibilities](r, c);
            for (std::int64_t z = 0; z < latent.columns; ++z) {
                const double variance = std::exp(log_variance(c, z));
                const double difference = latent(r, z) - mean(c, z);
                gradients[0](r, z) += weight * difference / variance;
                gradients[1](c, z) -= weight * difference / variance;
                gradients[2](c, z) += 0.5 * weight * (1 - difference * difference / variance);
            }
            gradients[3](0, c) += of_row * std::exp(logit(0, c)) / all_weights - weight;
        }
    }
    return gradients;
}

const OperationFamily mixture_family("mixture", [] {
    return std::vector<OperationCase>{density_case("of near draws", 1, 1),
                                      density_case("of several draws", 3, 1),
                                      density_case("of far draws", 1, 20),
                                      {.operation = MixtureGradient{},
                                       .inputs =
                                           [](const Sizes& sizes) {
                                               std::vector<CaseInput> inputs = mixture_inputs(sizes, 1);
                                               inputs.push_back(unit_input(draw_shape(sizes.inner)));
                                               inputs.push_back(unit_input(draw_shape(1)));
                                               return inputs;
                                           },
                                       .outputs = mixture_gradient,
                                       .pass = {.draws = 2, .beta = 0.75},
                                       .tolerance = 2e-5}};
});

// A component whose variance has gone to 0 keeps the density finite, and its log-variance is pulled upwards
// alone.
TEST_P(BackendTest, AMixturesVariancesHaveALeast) {
    const Tensor latent(backend(), 1, 1, std::vector<float>{0.25F});
    const Tensor mean(backend(), 1, 1, std::vector<float>{0.25F});
    const Tensor log_variance(backend(), 1, 1, std::vector<float>{-200});
    const Tensor logit(backend(), 1, 1, std::vector<float>{0});
    const Tensor log_density(backend(), 1, 1);
    const Tensor responsibilities(backend(), 1, 1);
    const std::vector<ConstOperand> mixture = {latent.view(), mean.view(), log_variance.view(), logit.view()};
    run_operation(backend(), MixtureDensity{}, mixture, {log_density.view(), responsibilities.view()},
                  {.rows = 1});
    EXPECT_NEAR(log_density.get()[0], -0.5 * (std::log(2 * std::numbers::pi) + kMinLogVariance), 1e-5);
    EXPECT_EQ(responsibilities.get()[0], 1);

    const Tensor weights(backend(), 1, 1, std::vector<float>{1});
    const Tensor gradients[] = {Tensor(backend(), 1, 1), Tensor(backend(), 1, 1), Tensor(backend(), 1, 1),
                                Tensor(backend(), 1, 1)};
    std::vector<ConstOperand> inputs = mixture;
    inputs.insert(inputs.end(), {responsibilities.view(), weights.view()});
    run_operation(backend(), MixtureGradient{}, inputs,
                  {gradients[0].view(), gradients[1].view(), gradients[2].view(), gradients[3].view()},
                  {.rows = 1});
    EXPECT_EQ(gradients[MixtureDensity::kLogVariance].get()[0], 0);
}

}  // namespace
}  // namespace vae_dist
