#include "vae_dist/ops/linear.hpp"

#include "vae_dist/core/require.hpp"
#include "vae_dist/ops/operation.hpp"

namespace vae_dist {

Shapes Linear::shapes(ShapesView inputs) const {
    require(inputs.size() == 3, "linear takes x, weight and bias");
    const ValueShape& x = inputs[0];
    const ValueShape& weight = inputs[1];
    require(weight.rows == RowClass::fixed && weight.columns == x.columns,
            "linear's weight has a column for each column of x");
    require(inputs[2] == fixed_shape(1, weight.fixed_rows), "linear's bias has a number for each output");
    ValueShape y = x;
    y.columns = weight.fixed_rows;
    if (activation && keeps_preactivation(*activation)) return {y, y};
    return {y};
}

// The bias's gradient is of what arrives, the products' of what that is rounded to.
void Linear::differentiate(Differentiation& d) const {
    const auto dvalue = d.gradient(0);
    if (!dvalue) return;
    ValueId dy = *dvalue;
    if (activation) {
        std::vector<ValueId> inputs = {dy, d.output(0)};
        if (keeps_preactivation(*activation)) inputs.push_back(d.output(1));
        const std::vector<ValueId> gradients =
            d.add(ActivationGradient{.activation = *activation}, std::move(inputs));
        dy = gradients[0];
        d.contribute(2, gradients[1]);
    } else {
        d.contribute(2, d.add(ColumnSums{}, {dy})[0]);
    }
    d.contribute(1, d.add(WeightGradient{}, {dy, d.input(0)})[0]);
    if (d.wants(0)) d.contribute(0, d.add(InputGradient{}, {dy, d.input(1)})[0]);
}

Shapes ActivationGradient::shapes(ShapesView inputs) const {
    require(inputs.size() == (keeps_preactivation(activation) ? 3U : 2U) && inputs[0] == inputs[1],
            "activation_gradient takes the gradient and the activation's values");
    return {inputs[0], fixed_shape(1, inputs[0].columns)};
}

Shapes ColumnSums::shapes(ShapesView inputs) const {
    require(inputs.size() == 1, "column_sums takes one value");
    return {fixed_shape(1, inputs[0].columns)};
}

Shapes WeightGradient::shapes(ShapesView inputs) const {
    require(inputs.size() == 2 && inputs[0].rows == inputs[1].rows, "weight_gradient takes dy and x");
    return {fixed_shape(inputs[0].columns, inputs[1].columns)};
}

Shapes InputGradient::shapes(ShapesView inputs) const {
    require(
        inputs.size() == 2 && inputs[1].rows == RowClass::fixed && inputs[1].fixed_rows == inputs[0].columns,
        "input_gradient takes dy and the weight");
    ValueShape dx = inputs[0];
    dx.columns = inputs[1].columns;
    return {dx};
}

}  // namespace vae_dist
