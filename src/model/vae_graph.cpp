#include "vae_dist/model/vae_graph.hpp"

#include <fmt/format.h>

#include <optional>

namespace vae_dist {

namespace {

// Units that are zero, or nearly so, on half of their inputs start by He's rule.
Initial initial_before(std::optional<Activation> activation) {
    return activation && is_zero_on_half(*activation) ? Initial::he : Initial::glorot;
}

// A fully connected layer; several heads over one input are one layer, their columns side by side.
ValueId add_layer(Graph& graph, const std::vector<Head>& heads, ValueId x, std::int64_t out,
                  std::optional<Activation> activation) {
    const std::int64_t in = graph.value(x).shape.columns;
    std::vector<Parameter> weights;
    std::vector<Parameter> biases;
    for (const Head& head : heads) {
        weights.push_back({.name = head.name + "/weight",
                           .shape = {out, in},
                           .initial = head.starts_at_zero ? Initial::zero : initial_before(activation)});
        biases.push_back({.name = head.name + "/bias", .shape = {out}});
    }
    const ValueId weight = graph.parameter(std::move(weights));
    const ValueId bias = graph.parameter(std::move(biases));
    return graph.add(Linear{.activation = activation}, {x, weight, bias})[0];
}

ValueId add_hidden_layers(Graph& graph, const std::string& name, ValueId x, const LayersConfig& layers,
                          Activation activation) {
    for (std::size_t i = 0; i < layers.hidden.size(); ++i)
        x = add_layer(graph, {{.name = fmt::format("{}/{}", name, i)}}, x, layers.hidden[i], activation);
    return x;
}

// Draws from the posterior, and what they weigh before the prior. Returns KL(q(z|x) || p(z)): (B, 1) in
// closed form, else (B K, 1), of each draw.
ValueId add_draws(VaeGraph& vae, const Prior& prior) {
    Graph& graph = vae.graph;
    const std::vector<ValueId> drawn =
        graph.add(PosteriorDraw{.standard_normal_prior = prior.is_standard_normal()}, {vae.posterior});
    vae.latent = drawn[PosteriorDraw::kLatent];
    vae.log_ratio = drawn[PosteriorDraw::kLogRatio];
    if (prior.is_standard_normal()) return drawn[PosteriorDraw::kKl];
    vae.log_ratio = graph.add(Add{}, {prior.add_log_density(graph, vae.latent), vae.log_ratio})[0];
    return graph.add(Negate{}, {vae.log_ratio})[0];
}

}  // namespace

VaeGraph make_vae_graph(const ModelConfig& config, const Likelihood& likelihood, const Prior& prior,
                        std::int64_t features, std::span<const ModelCondition> conditions,
                        bool several_draws) {
    VaeGraph vae;
    Graph& graph = vae.graph;
    vae.x = graph.input("x", sample_shape(features));
    for (const ModelCondition& condition : conditions)
        vae.conditions.push_back(graph.input(condition.name, sample_shape(condition.columns)));
    const auto conditioned = [&](ConditionedPart part, ValueId input) {
        if (!config.condition.goes_into(part)) return input;
        std::vector<ValueId> inputs = {input};
        inputs.insert(inputs.end(), vae.conditions.begin(), vae.conditions.end());
        return graph.add(Concatenate{}, std::move(inputs))[0];
    };

    const ValueId encoded = add_hidden_layers(graph, "encoder", conditioned(ConditionedPart::encoder, vae.x),
                                              config.encoder, config.activation);
    vae.posterior =
        add_layer(graph, {{.name = "encoder/mean"}, {.name = "encoder/log_variance", .starts_at_zero = true}},
                  encoded, config.latent_dim, {});
    const ValueId kl = add_draws(vae, prior);

    const ValueId decoded =
        add_hidden_layers(graph, "decoder", conditioned(ConditionedPart::decoder, vae.latent), config.decoder,
                          config.activation);
    vae.output = add_layer(graph, likelihood.heads(), decoded, features, {});
    vae.log_likelihood = likelihood.add_density(graph, vae.output, vae.x);

    std::vector<ValueId> weighed;
    if (several_draws) {
        weighed = graph.add(ImportanceWeights{}, {vae.log_likelihood, vae.log_ratio});
    } else {
        weighed = graph.add(SampleWeights{}, {});
    }
    graph.term("reconstruction", vae.log_likelihood);
    graph.term("kl", kl);
    if (several_draws) graph.term("iwae_bound", weighed[1]);
    graph.seed(vae.log_likelihood, weighed[0]);
    // The rule of the draw minimises a divergence in closed form.
    if (several_draws || !prior.is_standard_normal()) graph.seed(vae.log_ratio, weighed[0]);
    return vae;
}

}  // namespace vae_dist
