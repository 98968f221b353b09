#include "vae_dist/ops/density.hpp"

#include "vae_dist/core/require.hpp"
#include "vae_dist/ops/operation.hpp"

namespace vae_dist {

namespace {

void require_inputs(const DensityOfFeatures& density, ShapesView inputs, std::size_t more) {
    require(inputs.size() == 2 + (density.shared ? 1 : 0) + more && inputs[0].rows == RowClass::draw &&
                inputs[1].rows == RowClass::sample &&
                inputs[0].columns == density.blocks() * inputs[1].columns,
            "a density takes its parameters of each draw for a number of each sample");
    require(!density.shared || inputs[2] == fixed_shape(1, inputs[1].columns),
            "a shared parameter is a number of each feature");
}

}  // namespace

std::string Density::name() const {
    return kDensityNames[static_cast<std::size_t>(density.kind)];
}

Shapes Density::shapes(ShapesView inputs) const {
    require_inputs(density, inputs, 0);
    return {draw_shape(1)};
}

void Density::differentiate(Differentiation& d) const {
    const auto weights = d.gradient(0);
    if (!weights) return;
    std::vector<ValueId> inputs = {d.input(0), d.input(1)};
    if (density.shared) inputs.push_back(d.input(2));
    inputs.push_back(*weights);
    const std::vector<ValueId> made = d.add(DensityGradient{density}, inputs);
    d.supersede(0, made[0]);
    d.contribute(0, made[1]);
    if (density.shared) d.contribute(2, made[2]);
}

std::string DensityGradient::name() const {
    return Density{density}.name() + "_gradient";
}

Shapes DensityGradient::shapes(ShapesView inputs) const {
    require_inputs(density, inputs, 1);
    Shapes shapes = {draw_shape(1), inputs[0]};
    if (density.shared) shapes.push_back(inputs[2]);
    return shapes;
}

std::string DensityParameters::name() const {
    return Density{density}.name() + "_parameters";
}

Shapes DensityParameters::shapes(ShapesView inputs) const {
    require(inputs.size() == 1 && inputs[0].columns % density.blocks() == 0,
            "a density's parameters have a column block each");
    return {inputs[0]};
}

}  // namespace vae_dist
