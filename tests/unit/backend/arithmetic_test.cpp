#include "operation_suite.hpp"

namespace vae_dist {
namespace {

std::vector<CaseInput> one_matrix(const Sizes& sizes) {
    return {normal_input(draw_shape(sizes.columns), 100)};
}

// Rows of samples stand once for each draw.
std::vector<Numbers> side_by_side(NumbersView inputs, const Pass&) {
    const std::int64_t rows = std::max(inputs[0].rows, inputs[1].rows);
    Numbers all(rows, inputs[0].columns + inputs[1].columns);
    std::int64_t first = 0;
    for (const Numbers& input : inputs) {
        for (std::int64_t r = 0; r < rows; ++r)
            for (std::int64_t c = 0; c < input.columns; ++c)
                all(r, first + c) = input(r * input.rows / rows, c);
        first += input.columns;
    }
    return {all};
}

// Over all samples; each draw counts as its share of a sample.
OperationCase sum_term_case(const std::string& variant, const ValueShape& shape, const Pass& pass) {
    return {.operation = SumTerm{.term = 1},
            .variant = variant,
            .inputs = [=](const Sizes&) { return std::vector{normal_input(shape)}; },
            .outputs =
                [](NumbersView inputs, const Pass& of) {
                    Numbers term(1, 1);
                    const bool draws = inputs[0].rows != of.rows;
                    for (const double number : inputs[0].values)
                        term(0, 0) += draws ? number / static_cast<double>(of.draws) : number;
                    return std::vector{term};
                },
            .pass = pass,
            .tolerance = 1e-12};
}

const OperationFamily arithmetic_family("arithmetic", [] {
    return std::vector<OperationCase>{
        {.operation = SampleWeights{},
         .inputs = [](const Sizes&) { return std::vector<CaseInput>(); },
         .outputs =
             [](NumbersView, const Pass& pass) {
                 Numbers weights(pass.rows * pass.draws, 1);
                 for (double& weight : weights.values)
                     weight = pass.sample_weight;
                 return std::vector{weights};
             },
         .pass = {.draws = 3, .sample_weight = 0.25},
         .tolerance = 0},
        {.operation = Add{},
         .inputs =
             [](const Sizes& sizes) {
                 return std::vector{normal_input(fixed_shape(sizes.rows, sizes.columns)),
                                    normal_input(fixed_shape(sizes.rows, sizes.columns))};
             },
         .outputs =
             [](NumbersView inputs, const Pass&) {
                 Numbers sum = inputs[0];
                 for (std::size_t i = 0; i < sum.values.size(); ++i)
                     sum.values[i] += inputs[1].values[i];
                 return std::vector{sum};
             },
         .tolerance = 1e-7,
         .rules = {RuleCase{}}},
        {.operation = Negate{},
         .inputs = one_matrix,
         .outputs =
             [](NumbersView inputs, const Pass&) {
                 Numbers negative = inputs[0];
                 for (double& number : negative.values)
                     number = -number;
                 return std::vector{negative};
             },
         .tolerance = 0},
        {.operation = Concatenate{},
         .variant = "of draws and samples",
         .inputs =
             [](const Sizes& sizes) {
                 return std::vector{normal_input(draw_shape(sizes.columns)), normal_input(sample_shape(2))};
             },
         .outputs = side_by_side,
         .pass = {.draws = 3},
         .tolerance = 0},
        {.operation = Concatenate{},
         .variant = "of samples",
         .inputs =
             [](const Sizes& sizes) {
                 return std::vector{normal_input(sample_shape(3)), normal_input(sample_shape(sizes.columns))};
             },
         .outputs = side_by_side,
         .tolerance = 0,
         .rules = {RuleCase{}}},
        {.operation = TakeColumns{.first = 2, .count = 3},
         .inputs =
             [](const Sizes& sizes) { return std::vector{normal_input(draw_shape(sizes.columns + 4))}; },
         .outputs =
             [](NumbersView inputs, const Pass&) {
                 Numbers taken(inputs[0].rows, 3);
                 for (std::int64_t r = 0; r < taken.rows; ++r)
                     for (std::int64_t c = 0; c < 3; ++c)
                         taken(r, c) = inputs[0](r, c + 2);
                 return std::vector{taken};
             },
         .pass = {.draws = 2},
         .tolerance = 0},
        {.operation = Round{},
         .inputs = one_matrix,
         .outputs = [](NumbersView inputs, const Pass&) { return std::vector{inputs[0]}; },
         .tolerance = 0},
        sum_term_case("of samples", sample_shape(1), {.draws = 3}),
        sum_term_case("of draws", draw_shape(1), {.draws = 3}),
        sum_term_case("of single draws", draw_shape(1), {})};
});

}  // namespace
}  // namespace vae_dist
