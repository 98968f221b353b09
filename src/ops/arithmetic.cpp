#include "vae_dist/ops/arithmetic.hpp"

#include "vae_dist/core/require.hpp"
#include "vae_dist/ops/operation.hpp"

namespace vae_dist {

Shapes SampleWeights::shapes(ShapesView inputs) const {
    require(inputs.empty(), "sample_weights has no inputs");
    return {{.rows = rows, .columns = 1}};
}

Shapes Add::shapes(ShapesView inputs) const {
    require(inputs.size() == 2 && inputs[0] == inputs[1], "add takes two values of one shape");
    return {inputs[0]};
}

void Add::differentiate(Differentiation& d) const {
    const auto gradient = d.gradient(0);
    if (!gradient) return;
    d.contribute(0, *gradient);
    d.contribute(1, *gradient);
}

Shapes Negate::shapes(ShapesView inputs) const {
    require(inputs.size() == 1, "negate takes one value");
    return {inputs[0]};
}

Shapes Round::shapes(ShapesView inputs) const {
    require(inputs.size() == 1, "round takes one value");
    return {inputs[0]};
}

Shapes SumTerm::shapes(ShapesView inputs) const {
    require(inputs.size() == 1 && inputs[0].columns == 1, "a term is the sum of one column");
    return {};
}

Shapes Concatenate::shapes(ShapesView inputs) const {
    ValueShape all = sample_shape(0);
    for (const ValueShape& input : inputs) {
        require(input.rows != RowClass::fixed, "what stands side by side has a row a sample or a draw");
        if (input.rows == RowClass::draw) all.rows = RowClass::draw;
        all.columns += input.columns;
    }
    return {all};
}

// Only an input with a row a draw, or all inputs with a row a sample, can have a gradient: a sum over draws
// is not asked for.
void Concatenate::differentiate(Differentiation& d) const {
    const auto gradient = d.gradient(0);
    if (!gradient) return;
    const ValueShape all = d.shape(d.output(0));
    std::int64_t first = 0;
    for (std::size_t i = 0; first < all.columns; ++i) {
        const ValueShape input = d.shape(d.input(i));
        if (d.wants(i)) {
            require(input.rows == all.rows, "what is repeated for each draw has no gradient");
            const TakeColumns taken = {.first = first, .count = input.columns};
            d.contribute(i, d.add(taken, {*gradient})[0]);
        }
        first += input.columns;
    }
}

Shapes TakeColumns::shapes(ShapesView inputs) const {
    require(inputs.size() == 1 && first >= 0 && first + count <= inputs[0].columns,
            "the columns that are taken are there");
    ValueShape taken = inputs[0];
    taken.columns = count;
    return {taken};
}

}  // namespace vae_dist
