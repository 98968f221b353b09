#include "vae_dist/ops/arithmetic.hpp"

#include "vae_dist/core/require.hpp"

namespace vae_dist {

Shapes SampleWeights::shapes(ShapesView inputs) const {
    require(inputs.empty(), "sample_weights has no inputs");
    return {{.rows = rows, .columns = 1}};
}

Shapes Add::shapes(ShapesView inputs) const {
    require(inputs.size() == 2 && inputs[0] == inputs[1], "add takes two values of one shape");
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

}  // namespace vae_dist
