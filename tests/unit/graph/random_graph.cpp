#include "unit/graph/random_graph.hpp"

#include <fmt/format.h>

#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "vae_dist/core/random.hpp"

namespace vae_dist::test {

namespace {

constexpr std::int64_t kColumns = 6;
constexpr std::array<std::optional<Activation>, 5> kActivations = {
    std::nullopt, Activation::elu, Activation::tanh, Activation::gelu, Activation::softplus};

class Maker {
 public:
    explicit Maker(std::uint32_t seed) : random_(seed, Purpose::synthetic) {}

    RandomGraph make() {
        const Start start = static_cast<Start>(below(3));
        const bool draws = start != Start::no_posterior;
        const ValueId x = graph_.input("x", draws ? sample_shape(kColumns) : draw_shape(kColumns));
        target_ = graph_.input("target", sample_shape(kColumns));
        made_.draws = start == Start::one_draw ? 1 : 2;
        if (draws) {
            draw_from(x);
        } else {
            values_ = {x};
        }
        const std::uint64_t layers = 2 + below(7);
        for (std::uint64_t i = 0; i < layers; ++i)
            values_.push_back(layer(any_value(), kColumns));
        // What nobody has read is read by a density, so that every parameter has a gradient.
        const ValueId weights = graph_.add(SampleWeights{}, {})[0];
        bool by_importance = start == Start::importance;
        for (const ValueId value : std::vector<ValueId>(values_)) {
            if (value == values_.front() || is_read(value)) continue;
            const ValueId density = density_of(value);
            // A sum over draws, of which each weighs as much as a sample.
            add_term(density, by_importance ? 0 : -static_cast<double>(made_.draws));
            if (by_importance) {
                weigh_by_importance(density);
            } else {
                graph_.seed(density, weights);
            }
            by_importance = false;
        }
        made_.graph = std::move(graph_);
        return std::move(made_);
    }

 private:
    struct Weights {
        ValueId weight, bias;
    };
    enum class Start { no_posterior, one_draw, importance };

    void add_term(ValueId column, double factor) {
        graph_.term(fmt::format("term {}", graph_.terms.size()), column);
        made_.factors.push_back(factor);
    }

    void draw_from(ValueId x) {
        for (std::uint64_t i = 1 + below(2); i > 0; --i)
            x = layer(x, kColumns);
        const bool mixture = below(2) == 0;
        const std::vector<ValueId> drawn =
            graph_.add(PosteriorDraw{.standard_normal_prior = !mixture}, {layer(x, kColumns)});
        log_ratio_ = drawn[PosteriorDraw::kLogRatio];
        ValueId kl = drawn[PosteriorDraw::kKl];
        if (mixture) {
            log_ratio_ =
                graph_.add(Add{}, {log_density_of_mixture(drawn[PosteriorDraw::kLatent]), log_ratio_})[0];
            kl = graph_.add(Negate{}, {log_ratio_})[0];
        }
        add_term(kl, made_.draws == 1 ? 1 : 0);
        if (mixture && made_.draws == 1) graph_.seed(log_ratio_, graph_.add(SampleWeights{}, {})[0]);
        values_ = {drawn[PosteriorDraw::kLatent]};
        values_.push_back(layer(values_.front(), kColumns));
    }

    ValueId log_density_of_mixture(ValueId latent) {
        constexpr std::int64_t kComponents = 3;
        const std::int64_t columns = graph_.value(latent).shape.columns;
        const ValueId mean = graph_.parameter({{.name = "prior/mean", .shape = {kComponents, columns}}});
        const ValueId log_variance =
            graph_.parameter({{.name = "prior/log_variance", .shape = {kComponents, columns}}});
        const ValueId logit = graph_.parameter({{.name = "prior/logit", .shape = {kComponents}}});
        return graph_.add(MixtureDensity{}, {latent, mean, log_variance, logit})[0];
    }

    ValueId density_of(ValueId value) {
        const std::uint64_t kind = below(3);
        if (kind == 0) return graph_.add(Density{{LikelihoodKind::bernoulli, false}}, {value, target_})[0];
        if (kind == 1) {
            const ValueId both = layer(value, 2 * kColumns);
            return graph_.add(Density{{LikelihoodKind::gaussian, false}}, {both, target_})[0];
        }
        const std::string name = fmt::format("variance {}", value);
        const ValueId variance = graph_.parameter({{.name = name, .shape = {kColumns}}});
        return graph_.add(Density{{LikelihoodKind::gaussian, true}}, {value, target_, variance})[0];
    }

    void weigh_by_importance(ValueId density) {
        const std::vector<ValueId> weighed = graph_.add(ImportanceWeights{}, {density, log_ratio_});
        add_term(weighed[1], -1);
        graph_.seed(density, weighed[0]);
        graph_.seed(log_ratio_, weighed[0]);
    }

    std::uint64_t below(std::uint64_t bound) { return random_.below(bound, 0, drawn_++, 0); }
    ValueId any_value() { return values_[below(values_.size())]; }

    ValueId layer(ValueId in, std::int64_t out) {
        const std::int64_t columns = graph_.value(in).shape.columns;
        const bool is_square = columns == kColumns && out == kColumns;
        const bool shares = is_square && !weights_.empty() && below(3) == 0;
        const std::size_t which = shares ? below(weights_.size()) : weights_.size();
        if (!shares) {
            const std::string name = fmt::format("layer {}", layers_++);
            const Weights made = {graph_.parameter({{.name = name + "/weight", .shape = {out, columns}}}),
                                  graph_.parameter({{.name = name + "/bias", .shape = {out}}})};
            if (!is_square) return add_linear(in, made);
            weights_.push_back(made);
        }
        return add_linear(in, weights_[which]);
    }
    ValueId add_linear(ValueId in, const Weights& with) {
        return graph_.add(Linear{.activation = kActivations[below(kActivations.size())]},
                          {in, with.weight, with.bias})[0];
    }

    bool is_read(ValueId value) const {
        for (const GraphNode& node : graph_.nodes)
            for (const ValueId input : node.inputs)
                if (input == value) return true;
        return false;
    }

    CounterRandom random_;
    std::uint64_t drawn_ = 0;
    std::vector<ValueId> values_;
    std::vector<Weights> weights_;  ///< of layers that others may share
    std::uint64_t layers_ = 0;
    ValueId target_ = -1;
    ValueId log_ratio_ = -1;
    RandomGraph made_;
    Graph graph_;
};

}  // namespace

RandomGraph random_graph(std::uint32_t seed) {
    return Maker(seed).make();
}

}  // namespace vae_dist::test
