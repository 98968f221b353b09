#include "unit/graph/random_graph.hpp"

#include <fmt/format.h>

#include <array>
#include <optional>
#include <vector>

#include "vae_dist/core/random.hpp"

namespace vae_dist::test {

namespace {

constexpr std::int64_t kColumns = 6;

class Maker {
 public:
    explicit Maker(std::uint32_t seed) : random_(seed, Purpose::synthetic) {}

    Graph make() {
        values_ = {graph_.input("x", draw_shape(kColumns))};
        const ValueId target = graph_.input("target", sample_shape(kColumns));
        const std::uint64_t layers = 2 + below(7);
        for (std::uint64_t i = 0; i < layers; ++i)
            values_.push_back(layer(any_value()));
        // What nobody has read is read by a density, so that every parameter has a gradient.
        const ValueId weights = graph_.add(SampleWeights{}, {})[0];
        for (const ValueId value : values_) {
            if (value == values_.front() || is_read(value)) continue;
            const ValueId density =
                graph_.add(Density{{LikelihoodKind::bernoulli, false}}, {value, target})[0];
            graph_.term(fmt::format("term {}", graph_.terms.size()), density);
            graph_.seed(density, weights);
        }
        return graph_;
    }

 private:
    std::uint64_t below(std::uint64_t bound) { return random_.below(bound, 0, drawn_++, 0); }
    ValueId any_value() { return values_[below(values_.size())]; }

    ValueId layer(ValueId in) {
        static constexpr std::array<std::optional<Activation>, 5> kActivations = {
            std::nullopt, Activation::elu, Activation::tanh, Activation::gelu, Activation::softplus};
        const bool shares = !weights_.empty() && below(3) == 0;
        if (!shares) {
            const std::string name = fmt::format("layer {}", weights_.size());
            weights_.push_back({graph_.parameter({{.name = name + "/weight", .shape = {kColumns, kColumns}}}),
                                graph_.parameter({{.name = name + "/bias", .shape = {kColumns}}})});
        }
        const auto& [weight, bias] = weights_[shares ? below(weights_.size()) : weights_.size() - 1];
        return graph_.add(Linear{.activation = kActivations[below(kActivations.size())]},
                          {in, weight, bias})[0];
    }

    bool is_read(ValueId value) const {
        for (const GraphNode& node : graph_.nodes)
            for (const ValueId input : node.inputs)
                if (input == value) return true;
        return false;
    }

    struct Weights {
        ValueId weight, bias;
    };

    Graph graph_;
    CounterRandom random_;
    std::uint64_t drawn_ = 0;
    std::vector<ValueId> values_;
    std::vector<Weights> weights_;
};

}  // namespace

Graph random_graph(std::uint32_t seed) {
    return Maker(seed).make();
}

}  // namespace vae_dist::test
