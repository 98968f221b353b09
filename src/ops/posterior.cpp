#include "vae_dist/ops/posterior.hpp"

#include "vae_dist/core/require.hpp"
#include "vae_dist/ops/operation.hpp"

namespace vae_dist {

Shapes PosteriorDraw::shapes(ShapesView inputs) const {
    require(inputs.size() == 1 && inputs[0].rows == RowClass::sample && inputs[0].columns % 2 == 0,
            "posterior_draw takes mean and log-variance, side by side");
    const std::int64_t latents = inputs[0].columns / 2;
    return {draw_shape(latents), draw_shape(latents), sample_shape(1), draw_shape(1)};
}

void PosteriorDraw::differentiate(Differentiation& d) const {
    const auto dlatent = d.gradient(kLatent);
    if (!dlatent) return;
    if (const auto weights = d.gradient(kLogRatio)) {
        d.contribute(0, d.add(ImportanceGradient{standard_normal_prior},
                              {d.input(0), d.output(kEpsilon), d.output(kLatent), *dlatent, *weights})[0]);
    } else {
        require(standard_normal_prior, "the divergence from another prior has no closed form");
        d.contribute(0, d.add(PosteriorGradient{}, {d.input(0), d.output(kEpsilon), *dlatent})[0]);
    }
}

Shapes PosteriorGradient::shapes(ShapesView inputs) const {
    require(inputs.size() == 3 && inputs[1] == draw_shape(inputs[0].columns / 2) && inputs[2] == inputs[1],
            "posterior_gradient takes the posterior, epsilon and dlatent");
    return {inputs[0]};
}

Shapes ImportanceGradient::shapes(ShapesView inputs) const {
    require(inputs.size() == 5 && inputs[1] == draw_shape(inputs[0].columns / 2) && inputs[2] == inputs[1] &&
                inputs[3] == inputs[1] && inputs[4] == draw_shape(1),
            "importance_gradient takes the posterior, draws, dlatent and weights");
    return {inputs[0]};
}

Shapes ImportanceWeights::shapes(ShapesView inputs) const {
    require(inputs.size() == 2 && inputs[0] == draw_shape(1) && inputs[1] == draw_shape(1),
            "importance_weights takes two numbers a draw");
    return {draw_shape(1), sample_shape(1)};
}

}  // namespace vae_dist
