#include "vae_dist/ops/likelihoods.hpp"

#include "vae_dist/core/require.hpp"
#include "vae_dist/ops/operation.hpp"

namespace vae_dist {

namespace {

void require_pair(ShapesView inputs, std::size_t count) {
    require(inputs.size() == count && inputs[0].rows == RowClass::draw &&
                inputs[1].rows == RowClass::sample && inputs[0].columns == inputs[1].columns,
            "a density takes a number of each draw for a number of each sample");
}

}  // namespace

Shapes BernoulliDensity::shapes(ShapesView inputs) const {
    require_pair(inputs, 2);
    return {draw_shape(1)};
}

void BernoulliDensity::differentiate(Differentiation& d) const {
    const auto weights = d.gradient(0);
    if (!weights) return;
    const std::vector<ValueId> made = d.add(BernoulliGradient{}, {d.input(0), d.input(1), *weights});
    d.supersede(0, made[0]);
    d.contribute(0, made[1]);
}

Shapes BernoulliGradient::shapes(ShapesView inputs) const {
    require_pair(inputs, 3);
    return {draw_shape(1), inputs[0]};
}

Shapes GaussianDensity::shapes(ShapesView inputs) const {
    require_pair(inputs, 3);
    return {draw_shape(1)};
}

void GaussianDensity::differentiate(Differentiation& d) const {
    const auto weights = d.gradient(0);
    if (!weights) return;
    const std::vector<ValueId> made =
        d.add(GaussianGradient{}, {d.input(0), d.input(1), d.input(2), *weights});
    d.supersede(0, made[0]);
    d.contribute(0, made[1]);
    d.contribute(2, made[2]);
}

Shapes GaussianGradient::shapes(ShapesView inputs) const {
    require_pair(inputs, 4);
    return {draw_shape(1), inputs[0], inputs[2]};
}

}  // namespace vae_dist
