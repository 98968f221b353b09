#include <algorithm>
#include <cmath>
#include <numbers>

#include "operation_suite.hpp"

namespace vae_dist {
namespace {

const CounterRandom kNoise(11, Purpose::posterior_noise);

double kl_of(double mean, double s) {
    return 0.5 * (mean * mean + std::exp(s) - 1 - s);
}

// Draw k of row r has the counter r + k * 2^40.
std::vector<Numbers> drawn(NumbersView inputs, const Pass& pass) {
    const Numbers& posterior = inputs[0];
    const std::int64_t latents = posterior.columns / 2;
    Numbers epsilon(posterior.rows * pass.draws, latents);
    Numbers latent = epsilon;
    Numbers kl(posterior.rows, 1);
    Numbers log_ratio(posterior.rows * pass.draws, 1);
    for (std::int64_t r = 0; r < epsilon.rows; ++r) {
        const std::int64_t b = r / pass.draws;
        std::vector<float> noise(static_cast<std::size_t>(latents));
        const std::int64_t counter = pass.row_numbers[static_cast<std::size_t>(b)] +
                                     (pass.first_draw + r % pass.draws) * (std::int64_t{1} << 40);
        pass.noise.normals(pass.visit, static_cast<std::uint64_t>(counter), noise);
        for (std::int64_t z = 0; z < latents; ++z) {
            const double mean = posterior(b, z);
            const double s = posterior(b, latents + z);
            const double e = noise[static_cast<std::size_t>(z)];
            const double value = mean + std::exp(0.5 * s) * e;
            epsilon(r, z) = e;
            latent(r, z) = value;
            const double log_prior = -0.5 * value * value;
            const double log_posterior = -0.5 * (e * e + s);
            log_ratio(r, 0) += log_prior - log_posterior;
            if (r % pass.draws == 0) kl(b, 0) += kl_of(mean, s);
        }
    }
    return {epsilon, latent, kl, log_ratio};
}

double weighed(const Numbers& values, const Numbers& weights) {
    double sum = 0;
    for (std::size_t i = 0; i < values.values.size(); ++i)
        sum += values.values[i] * weights.values[i];
    return sum;
}

// Without weights of the draws the divergence is part of what is minimised.
double minimised_with_one_draw(NumbersView inputs, NumbersView gradients, const Pass& pass) {
    const Numbers& posterior = inputs[0];
    const std::int64_t latents = posterior.columns / 2;
    double sum = weighed(drawn(inputs, pass)[PosteriorDraw::kLatent], gradients[0]);
    for (std::int64_t b = 0; b < posterior.rows; ++b) {
        for (std::int64_t z = 0; z < latents; ++z) {
            sum += pass.sample_weight * pass.beta *
                   std::max(pass.free_bits, kl_of(posterior(b, z), posterior(b, latents + z)));
        }
    }
    return sum;
}

double minimised_with_weighed_draws(NumbersView inputs, NumbersView gradients, const Pass& pass) {
    const std::vector<Numbers> outputs = drawn(inputs, pass);
    return weighed(outputs[PosteriorDraw::kLatent], gradients[0]) -
           pass.beta * weighed(outputs[PosteriorDraw::kLogRatio], gradients[1]);
}

// Before another prior log_ratio is -log q(z|x), which depends on the log-variance and epsilon.
std::vector<Numbers> drawn_before_another(NumbersView inputs, const Pass& pass) {
    std::vector<Numbers> outputs = drawn(inputs, pass);
    const Numbers& epsilon = outputs[PosteriorDraw::kEpsilon];
    Numbers& log_ratio = outputs[PosteriorDraw::kLogRatio];
    for (std::int64_t r = 0; r < epsilon.rows; ++r) {
        log_ratio(r, 0) = 0;
        for (std::int64_t z = 0; z < epsilon.columns; ++z) {
            const double s = inputs[0](r / pass.draws, epsilon.columns + z);
            log_ratio(r, 0) += 0.5 * (std::log(2 * std::numbers::pi) + s + epsilon(r, z) * epsilon(r, z));
        }
    }
    return outputs;
}

double minimised_before_another(NumbersView inputs, NumbersView gradients, const Pass& pass) {
    const std::vector<Numbers> outputs = drawn_before_another(inputs, pass);
    return weighed(outputs[PosteriorDraw::kLatent], gradients[0]) -
           pass.beta * weighed(outputs[PosteriorDraw::kLogRatio], gradients[1]);
}

OperationCase draw_case(const std::string& variant, const Pass& pass, bool standard_normal_prior = true) {
    OperationCase draw = {
        .operation = PosteriorDraw{standard_normal_prior},
        .variant = variant,
        .inputs =
            [](const Sizes& sizes) { return std::vector{normal_input(sample_shape(2 * sizes.columns))}; },
        .outputs = standard_normal_prior ? drawn : drawn_before_another,
        .pass = pass,
        .tolerance = 5e-6};
    draw.rules.push_back(
        {.outputs = {PosteriorDraw::kLatent, PosteriorDraw::kLogRatio},
         .minimised = standard_normal_prior ? minimised_with_weighed_draws : minimised_before_another});
    if (pass.draws == 1 && standard_normal_prior)
        draw.rules.push_back({.outputs = {PosteriorDraw::kLatent}, .minimised = minimised_with_one_draw});
    return draw;
}

OperationCase posterior_gradient_case(const std::string& variant, double free_bits) {
    return {.operation = PosteriorGradient{},
            .variant = variant,
            .inputs =
                [](const Sizes& sizes) {
                    return std::vector{normal_input(sample_shape(2 * sizes.columns)),
                                       normal_input(draw_shape(sizes.columns)),
                                       normal_input(draw_shape(sizes.columns))};
                },
            .outputs =
                [](NumbersView inputs, const Pass& pass) {
                    const Numbers& posterior = inputs[0];
                    const std::int64_t latents = posterior.columns / 2;
                    Numbers gradient(posterior.rows, posterior.columns);
                    for (std::int64_t b = 0; b < posterior.rows; ++b) {
                        for (std::int64_t z = 0; z < latents; ++z) {
                            const double mean = posterior(b, z);
                            const double s = posterior(b, latents + z);
                            const double d = inputs[2](b, z);
                            const bool is_free = kl_of(mean, s) < pass.free_bits;
                            const double weight = is_free ? 0 : pass.sample_weight * pass.beta;
                            gradient(b, z) = d + weight * mean;
                            gradient(b, latents + z) = 0.5 * d * inputs[1](b, z) * std::exp(0.5 * s) +
                                                       0.5 * weight * (std::exp(s) - 1);
                        }
                    }
                    return std::vector{gradient};
                },
            .pass = {.sample_weight = 0.5, .beta = 0.75, .free_bits = free_bits},
            .tolerance = 3e-6};
}

const OperationFamily posterior_family("posterior", [] {
    return std::vector{
        draw_case("one", {.noise = kNoise, .visit = 42, .sample_weight = 0.5, .beta = 0.75}),
        draw_case("one, with free bits",
                  {.noise = kNoise, .visit = 42, .sample_weight = 0.5, .beta = 0.75, .free_bits = 0.5}),
        draw_case("three", {.draws = 3, .noise = kNoise, .visit = 42, .first_draw = 2, .beta = 0.75}),
        draw_case("before another prior", {.noise = kNoise, .visit = 42, .beta = 0.75}, false),
        draw_case("three before another prior", {.draws = 3, .noise = kNoise, .visit = 42, .beta = 0.75},
                  false),
        posterior_gradient_case("", 0),
        posterior_gradient_case("with free bits", 0.5)};
});

TEST_P(BackendTest, ASamplesNoiseDoesNotDependOnItsRow) {
    const std::int64_t latents = 20;
    const auto noise_of = [&](const std::vector<std::int64_t>& numbers) {
        const auto rows = std::ssize(numbers);
        const Tensor zeros(backend(), rows, 2 * latents, std::vector<float>(numbers.size() * 40, 0));
        const Tensor epsilon(backend(), rows, latents);
        const Tensor latent(backend(), rows, latents);
        run_operation(backend(), PosteriorDraw{}, {zeros.view()},
                      {epsilon.view(), latent.view(), Operand(), Operand()},
                      {.rows = rows, .row_numbers = numbers, .noise = kNoise});
        return epsilon.get();
    };
    const auto both = noise_of({7, 9});
    const auto second = noise_of({9});
    EXPECT_TRUE(std::equal(second.begin(), second.end(), both.begin() + latents));
}

}  // namespace
}  // namespace vae_dist
