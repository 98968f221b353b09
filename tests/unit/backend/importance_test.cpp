#include <algorithm>
#include <cmath>

#include "operation_suite.hpp"

namespace vae_dist {
namespace {

// log sum exp by its definition, in double.
double log_of_sum(const std::vector<double>& terms) {
    const double largest = *std::max_element(terms.begin(), terms.end());
    double sum = 0;
    for (const double term : terms)
        sum += std::exp(term - largest);
    return largest + std::log(sum);
}

std::vector<Numbers> weights_and_bound(NumbersView inputs, const Pass& pass) {
    Numbers weights(inputs[0].rows, 1);
    Numbers bound(inputs[0].rows / pass.draws, 1);
    for (std::int64_t b = 0; b < bound.rows; ++b) {
        std::vector<double> plain;
        std::vector<double> tempered;
        for (std::int64_t r = b * pass.draws; r < (b + 1) * pass.draws; ++r) {
            plain.push_back(inputs[0](r, 0) + inputs[1](r, 0));
            tempered.push_back(inputs[0](r, 0) + pass.beta * inputs[1](r, 0));
        }
        bound(b, 0) = log_of_sum(plain) - std::log(static_cast<double>(pass.draws));
        for (std::size_t k = 0; k < tempered.size(); ++k)
            weights(b * pass.draws + static_cast<std::int64_t>(k), 0) =
                pass.sample_weight * std::exp(tempered[k] - log_of_sum(tempered));
    }
    return {weights, bound};
}

OperationCase weights_case(const std::string& variant, float spread) {
    return {
        .operation = ImportanceWeights{},
        .variant = variant,
        .inputs =
            [=](const Sizes&) {
                return std::vector{normal_input(draw_shape(1), spread), normal_input(draw_shape(1), spread)};
            },
        .outputs = weights_and_bound,
        .pass = {.draws = 4, .sample_weight = 0.25, .beta = 0.375}};
}

// Of  sum_k (dlatent_k latent_k - beta weights_k log_ratio_k).
std::vector<Numbers> importance_gradient(NumbersView inputs, const Pass& pass) {
    const Numbers& posterior = inputs[0];
    const std::int64_t latents = posterior.columns / 2;
    Numbers gradient(posterior.rows, posterior.columns);
    for (std::int64_t r = 0; r < posterior.rows * pass.draws; ++r) {
        const std::int64_t b = r / pass.draws;
        for (std::int64_t z = 0; z < latents; ++z) {
            const double weight = pass.beta * inputs[4](r, 0);
            const double by_latent = inputs[3](r, z) + weight * inputs[2](r, z);
            gradient(b, z) += by_latent;
            gradient(b, latents + z) +=
                0.5 * by_latent * inputs[1](r, z) * std::exp(0.5 * posterior(b, latents + z)) - 0.5 * weight;
        }
    }
    return {gradient};
}

const OperationFamily importance_family("importance", [] {
    return std::vector<OperationCase>{
        weights_case("of like draws", 1),
        weights_case("beyond a float's exponential", 300),
        {.operation = ImportanceGradient{},
         .inputs =
             [](const Sizes& sizes) {
                 return std::vector{normal_input(sample_shape(2 * sizes.columns)),
                                    normal_input(draw_shape(sizes.columns)),
                                    normal_input(draw_shape(sizes.columns)),
                                    normal_input(draw_shape(sizes.columns)), unit_input(draw_shape(1))};
             },
         .outputs = importance_gradient,
         .pass = {.draws = 4, .beta = 0.75},
         .tolerance = 1e-5}};
});

}  // namespace
}  // namespace vae_dist
