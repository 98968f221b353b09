#include "vae_dist/graph/compile.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "vae_dist/core/error.hpp"
#include "vae_dist/graph/plan.hpp"

namespace vae_dist {
namespace {

using Names = std::vector<std::string>;

Names names_of(const Graph& graph) {
    Names names;
    for (const GraphNode& node : graph.nodes)
        names.emplace_back(node.operation.name());
    return names;
}

/// x -> hidden layer -> posterior -> draws -> output -> density, of a few columns each.
struct SmallModel {
    explicit SmallModel(Activation activation = Activation::relu) {
        x = graph.input("x", sample_shape(6));
        hidden = layer("hidden", x, 5, activation);
        posterior = layer("posterior", hidden, 8, {});
        const std::vector<ValueId> drawn = graph.add(PosteriorDraw{}, {posterior});
        epsilon = drawn[PosteriorDraw::kEpsilon];
        latent = drawn[PosteriorDraw::kLatent];
        kl = drawn[PosteriorDraw::kKl];
        log_ratio = drawn[PosteriorDraw::kLogRatio];
        output = layer("output", latent, 6, {});
        const ValueId log_variance = graph.parameter({{.name = "log_variance", .shape = {6}}});
        density = graph.add(Density{{LikelihoodKind::gaussian, true}}, {output, x, log_variance})[0];
    }

    ValueId layer(const std::string& name, ValueId in, std::int64_t out,
                  std::optional<Activation> activation) {
        const std::int64_t columns = graph.value(in).shape.columns;
        const ValueId weight = graph.parameter({{.name = name + "/weight", .shape = {out, columns}}});
        const ValueId bias = graph.parameter({{.name = name + "/bias", .shape = {out}}});
        return graph.add(Linear{.activation = activation}, {in, weight, bias})[0];
    }

    void minimise_bound() {
        graph.term("reconstruction", density);
        graph.term("kl", kl);
        graph.seed(density, graph.add(SampleWeights{}, {})[0]);
    }

    Graph graph;
    ValueId x, hidden, posterior, epsilon, latent, kl, log_ratio, output, density;
};

std::vector<ValueId> gradients_of(const Graph& graph) {
    std::vector<ValueId> all;
    all.reserve(graph.gradients.size());
    for (const ParameterGradient& of : graph.gradients)
        all.push_back(of.gradient);
    return all;
}

TEST(Differentiate, EachRuleAddsItsOperationsAndEachParameterHasAGradient) {
    SmallModel model;
    model.minimise_bound();
    const Graph graph = differentiate(model.graph);
    EXPECT_EQ(graph.gradients.size(), 7U);
    for (const ParameterGradient& of : graph.gradients)
        EXPECT_EQ(graph.value(of.gradient).shape, graph.value(of.parameter).shape);
    const Graph ordered = prune(graph, gradients_of(graph), std::vector{model.x}, Terms::summed);
    // The gradient of the density gives its value, too, and so comes in its place.
    EXPECT_EQ(names_of(ordered),
              (Names{"linear", "linear", "posterior_draw", "linear", "sample_weights", "gaussian_gradient",
                     "sum_term", "sum_term", "column_sums", "weight_gradient", "input_gradient",
                     "posterior_gradient", "column_sums", "weight_gradient", "input_gradient",
                     "activation_gradient", "weight_gradient"}));
}

TEST(Differentiate, AnOperationThatItsOwnGradientNeedsStays) {
    SmallModel model;
    const std::vector<ValueId> weighed =
        model.graph.add(ImportanceWeights{}, {model.density, model.log_ratio});
    model.graph.term("reconstruction", model.density);
    model.graph.seed(model.density, weighed[0]);
    model.graph.seed(model.log_ratio, weighed[0]);
    const Graph graph = differentiate(model.graph);
    const Names names = names_of(prune(graph, gradients_of(graph), std::vector{model.x}, Terms::summed));
    EXPECT_EQ(std::ranges::count(names, "gaussian"), 1);
    EXPECT_EQ(std::ranges::count(names, "gaussian_gradient"), 1);
    EXPECT_EQ(std::ranges::count(names, "importance_gradient"), 1);
    EXPECT_EQ(std::ranges::count(names, "posterior_gradient"), 0);
}

TEST(Differentiate, AValueThatIsReadTwiceHasTheSumOfBothGradients) {
    Graph graph;
    const ValueId x = graph.input("x", draw_shape(3));
    const ValueId target = graph.input("target", sample_shape(3));
    const ValueId weight = graph.parameter({{.name = "weight", .shape = {3, 3}}});
    const ValueId bias = graph.parameter({{.name = "bias", .shape = {3}}});
    const ValueId once = graph.add(Linear{.activation = Activation::tanh}, {x, weight, bias})[0];
    const ValueId twice = graph.add(Linear{}, {once, weight, bias})[0];
    const ValueId density = graph.add(Density{{LikelihoodKind::bernoulli, false}}, {twice, target})[0];
    graph.seed(density, graph.add(SampleWeights{}, {})[0]);
    const Graph made = differentiate(graph);
    ASSERT_EQ(made.gradients.size(), 2U);
    for (const ParameterGradient& of : made.gradients) {
        const GraphNode& maker = made.nodes.at(made.maker(of.gradient).value_or(made.nodes.size()));
        EXPECT_EQ(maker.operation.name(), "add");
        // The later layer's first, in the order of the backward pass.
        EXPECT_LT(made.maker(maker.inputs[0]), made.maker(maker.inputs[1]));
        // The gradients of both are final together, with the first layer's rule.
        EXPECT_EQ(maker.rule_of, std::size_t{0});
    }
    const std::vector<FinishedParameters> order =
        finish_order(prune(made, gradients_of(made), std::vector{x, target}, Terms::left_out));
    ASSERT_EQ(order.size(), 1U);
    EXPECT_EQ(order[0].parameters, (std::vector{weight, bias}));
}

TEST(Differentiate, AParameterOnWhichNothingDependsIsAFault) {
    SmallModel model;
    model.minimise_bound();
    model.graph.parameter({{.name = "idle", .shape = {3}}});
    EXPECT_THROW(differentiate(model.graph), Error);
}

TEST(Prune, KeepsWhatIsWantedAlone) {
    SmallModel model;
    model.minimise_bound();
    const std::vector<ValueId> given = {model.x};
    EXPECT_EQ(names_of(prune(model.graph, std::vector{model.posterior}, given, Terms::left_out)),
              (Names{"linear", "linear"}));
    EXPECT_EQ(
        names_of(prune(model.graph, std::vector{model.output}, std::vector{model.latent}, Terms::left_out)),
        (Names{"linear"}));
    EXPECT_EQ(names_of(prune(model.graph, {}, given, Terms::summed)),
              (Names{"linear", "linear", "posterior_draw", "linear", "gaussian", "sum_term", "sum_term"}));
    EXPECT_TRUE(names_of(prune(model.graph, std::vector{model.x}, given, Terms::left_out)).empty());
}

TEST(AssignPrecision, LeavesFloatsAsTheyAre) {
    SmallModel model;
    model.minimise_bound();
    const Graph graph = assign_precision(differentiate(model.graph), Precision::float32, {});
    for (const Value& value : graph.values)
        EXPECT_EQ(value.precision, Precision::float32);
    EXPECT_EQ(std::ranges::count(names_of(graph), "round"), 0);
}

TEST(AssignPrecision, RoundsWhatProductsReadAndNothingElse) {
    SmallModel model(Activation::gelu);
    model.minimise_bound();
    Graph graph = differentiate(model.graph);
    graph = prune(graph, gradients_of(graph), std::vector{model.x}, Terms::summed);
    graph = assign_precision(graph, Precision::bfloat16, {});
    // A hidden layer writes rounded numbers, and so does a density's gradient, for products alone read them.
    EXPECT_EQ(graph.value(model.hidden).precision, Precision::bfloat16);
    // The posterior and its draws are float, and so is the decoder's output.
    for (const ValueId id : {model.posterior, model.latent, model.epsilon, model.output})
        EXPECT_EQ(graph.value(id).precision, Precision::float32);
    int rounded = 0;
    for (const GraphNode& node : graph.nodes) {
        for (std::size_t i = 0; i < node.inputs.size(); ++i) {
            const Value& read = graph.value(node.inputs[i]);
            if (node.operation.reads_as_product(i)) {
                EXPECT_TRUE(read.is_parameter() || read.precision == Precision::bfloat16);
            } else if (!node.operation.reads_either(i)) {
                EXPECT_EQ(read.precision, Precision::float32) << node.operation.name();
            }
        }
        for (std::size_t i = 0; i < node.outputs.size(); ++i) {
            if (graph.value(node.outputs[i]).precision != Precision::bfloat16) continue;
            EXPECT_TRUE(node.operation.writes_either(i)) << node.operation.name();
        }
        if (node.operation.as<Round>() != nullptr) ++rounded;
        if (node.operation.as<ActivationGradient>() != nullptr) {
            // Its operands are of one precision.
            for (const ValueId id : {node.inputs[1], node.inputs[2], node.outputs[0]})
                EXPECT_EQ(graph.value(id).precision, Precision::bfloat16);
        }
    }
    EXPECT_EQ(rounded, 3);  // x, the latents, and the gradient with respect to the posterior
}

TEST(AssignPrecision, WhatIsWantedStaysFloat) {
    const SmallModel model;
    const std::vector<ValueId> wanted = {model.hidden, model.posterior};
    Graph graph = prune(model.graph, wanted, std::vector{model.x}, Terms::left_out);
    graph = assign_precision(graph, Precision::bfloat16, wanted);
    EXPECT_EQ(graph.value(model.hidden).precision, Precision::float32);
    EXPECT_EQ(names_of(graph), (Names{"round", "linear", "round", "linear"}));
}

TEST(FinishOrder, IsThatOfTheBackwardPassAndHasEachParameterOnce) {
    SmallModel model;
    model.minimise_bound();
    const ParameterLayout layout = layout_of(model.graph);
    Names names;
    for (const Parameter& parameter : layout.parameters())
        names.push_back(parameter.name);
    EXPECT_EQ(names, (Names{"log_variance", "output/weight", "output/bias", "posterior/weight",
                            "posterior/bias", "hidden/weight", "hidden/bias"}));
    for (const Parameter& parameter : layout.parameters())
        EXPECT_EQ(parameter.offset % 16, 0) << parameter.name;
}

TEST(Allocate, NoTwoValuesThatAreNeededAtATimeOverlap) {
    SmallModel model(Activation::silu);
    model.minimise_bound();
    Graph graph = differentiate(model.graph);
    graph = prune(graph, gradients_of(graph), std::vector{model.x}, Terms::summed);
    for (const Precision precision : {Precision::float32, Precision::bfloat16}) {
        const Graph made = assign_precision(graph, precision, {});
        const RowLimits limits = {.samples = 7, .draws = 7};
        const Places places = allocate(made, {}, limits);
        const Places apart = allocate(made, {}, limits, Reuse::off);
        EXPECT_LT(places.bytes, apart.bytes);
        // Walks the list as a pass does: which value lies where.
        std::vector<ValueId> owner(places.bytes, -1);
        for (const GraphNode& node : made.nodes) {
            for (const ValueId input : node.inputs) {
                const auto first = places.first[index(input)];
                if (!first) continue;
                EXPECT_EQ(*first % 64, 0U);
                const Value& value = made.value(input);
                const std::size_t element = value.precision == Precision::float32 ? 4 : 2;
                const auto bytes =
                    static_cast<std::size_t>(limits.rows(value.shape) * value.shape.columns) * element;
                for (std::size_t i = 0; i < bytes; ++i)
                    ASSERT_EQ(owner[*first + i], input) << node.operation.name();
            }
            for (const ValueId output : node.outputs) {
                const auto first = places.first[index(output)];
                if (!first) continue;
                const Value& value = made.value(output);
                const std::size_t element = value.precision == Precision::float32 ? 4 : 2;
                const auto bytes =
                    static_cast<std::size_t>(limits.rows(value.shape) * value.shape.columns) * element;
                ASSERT_LE(*first + bytes, places.bytes);
                // Only where the operation allows it does an output take the place of what the node reads.
                for (std::size_t i = 0; i < bytes; ++i) {
                    const ValueId there = owner[*first + i];
                    ASSERT_EQ(std::ranges::count(node.outputs, there), 0) << node.operation.name();
                    if (std::ranges::count(node.inputs, there) == 0) continue;
                    ASSERT_EQ(there, node.inputs[0]) << node.operation.name();
                    const auto which = std::ranges::find(node.outputs, output) - node.outputs.begin();
                    ASSERT_TRUE(node.operation.may_overwrite_input(static_cast<std::size_t>(which)));
                }
                std::fill_n(owner.begin() + static_cast<std::ptrdiff_t>(*first), bytes, output);
            }
        }
    }
}

TEST(Graph, RefusesInputsThatDoNotFit) {
    Graph graph;
    const ValueId x = graph.input("x", sample_shape(6));
    const ValueId weight = graph.parameter({{.name = "weight", .shape = {5, 7}}});
    const ValueId bias = graph.parameter({{.name = "bias", .shape = {5}}});
    EXPECT_THROW(graph.add(Linear{}, {x, weight, bias}), Error);
    EXPECT_THROW(graph.add(Linear{}, {x, weight}), Error);
    EXPECT_THROW(graph.add(Add{}, {x, weight}), Error);
    EXPECT_THROW(graph.add(Density{{LikelihoodKind::bernoulli, false}}, {x, x}), Error);
    const ValueId odd = graph.input("odd", sample_shape(3));
    EXPECT_THROW(graph.add(PosteriorDraw{}, {odd}), Error);
}

}  // namespace
}  // namespace vae_dist
