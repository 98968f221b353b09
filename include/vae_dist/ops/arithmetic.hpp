#pragma once

#include "vae_dist/ops/differentiation.hpp"

namespace vae_dist {

/// weights (rows, 1): each the pass's sample_weight. Of K draws of a sample each counts so.
struct SampleWeights {
    static constexpr const char* kName = "sample_weights";
    RowClass rows = RowClass::draw;

    Shapes shapes(ShapesView inputs) const;
};

/// The sum of two values, element by element.
struct Add {
    static constexpr const char* kName = "add";
    static constexpr OperationRules kRules = {.in_place_output = 0};

    Shapes shapes(ShapesView inputs) const;
    void differentiate(Differentiation& d) const;
};

/// Minus the input. It is for terms, and has no gradient.
struct Negate {
    static constexpr const char* kName = "negate";

    Shapes shapes(ShapesView inputs) const;
};

/// The input rounded to the precision of products.
struct Round {
    static constexpr const char* kName = "round";
    static constexpr OperationRules kRules = {.either_outputs = 0b1};

    Shapes shapes(ShapesView inputs) const;
};

/// Its inputs' columns side by side. Of inputs with a row a draw and such with a row a sample, the latter are
/// repeated for each draw.
struct Concatenate {
    static constexpr const char* kName = "concatenate";
    static constexpr OperationRules kRules = {.either_outputs = 0b1};

    Shapes shapes(ShapesView inputs) const;
    void differentiate(Differentiation& d) const;
};

/// Some of the input's columns.
struct TakeColumns {
    static constexpr const char* kName = "take_columns";
    std::int64_t first = 0;
    std::int64_t count = 0;

    Shapes shapes(ShapesView inputs) const;
};

/// Sums a column (rows, 1) in double, into the place of a term; draws of a sample count 1/K each. No outputs.
struct SumTerm {
    static constexpr const char* kName = "sum_term";
    std::size_t term = 0;  ///< its number

    Shapes shapes(ShapesView inputs) const;
};

}  // namespace vae_dist
