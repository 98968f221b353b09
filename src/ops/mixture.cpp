#include "vae_dist/ops/mixture.hpp"

#include "vae_dist/core/require.hpp"
#include "vae_dist/ops/operation.hpp"

namespace vae_dist {

namespace {

void require_mixture(ShapesView inputs) {
    require(inputs.size() >= 4, "a mixture has draws, means, log-variances and weights");
    const ValueShape& mean = inputs[MixtureDensity::kMean];
    require(inputs[MixtureDensity::kLatent] == draw_shape(mean.columns) && mean.rows == RowClass::fixed &&
                inputs[MixtureDensity::kLogVariance] == mean &&
                inputs[MixtureDensity::kLogit] == fixed_shape(1, mean.fixed_rows),
            "a mixture's components have a mean, a log-variance and a weight each");
}

}  // namespace

Shapes MixtureDensity::shapes(ShapesView inputs) const {
    require(inputs.size() == 4, "mixture_density takes draws and the mixture's parameters");
    require_mixture(inputs);
    return {draw_shape(1), draw_shape(inputs[kMean].fixed_rows)};
}

void MixtureDensity::differentiate(Differentiation& d) const {
    const auto weights = d.gradient(kLogDensity);
    if (!weights) return;
    const std::vector<ValueId> gradients =
        d.add(MixtureGradient{},
              {d.input(0), d.input(1), d.input(2), d.input(3), d.output(kResponsibilities), *weights});
    for (std::size_t i = 0; i < gradients.size(); ++i)
        d.contribute(i, gradients[i]);
}

Shapes MixtureGradient::shapes(ShapesView inputs) const {
    require(inputs.size() == 6, "mixture_gradient takes the mixture, responsibilities and weights");
    require_mixture(inputs);
    require(inputs[kResponsibilities] == draw_shape(inputs[MixtureDensity::kMean].fixed_rows) &&
                inputs[kWeights] == draw_shape(1),
            "every draw has responsibilities and a weight");
    return {inputs.begin(), inputs.begin() + 4};
}

}  // namespace vae_dist
