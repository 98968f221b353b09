#include "vae_dist/model/likelihood.hpp"

#include <cmath>
#include <vector>

#include "vae_dist/core/error.hpp"

namespace vae_dist {

namespace {

class Bernoulli final : public Likelihood {
 public:
    ValueId add_density(Graph& graph, ValueId output, ValueId x) const override {
        return graph.add(BernoulliDensity{}, {output, x})[0];
    }
    void to_mean(Backend& backend, FloatMatrix output) const override { backend.sigmoid(output); }
    void draw(Backend&, const ParameterLayout&, const ParameterStore&, const CounterRandom& random,
              std::span<const std::int64_t> rows, FloatMatrix mean_host) const override {
        std::vector<std::uint32_t> words(static_cast<std::size_t>(mean_host.columns));
        for (std::int64_t r = 0; r < mean_host.rows; ++r) {
            float* const values = mean_host.row(r);
            random.fill_words(0, static_cast<std::uint64_t>(rows[static_cast<std::size_t>(r)]), 0, words);
            for (std::size_t d = 0; d < words.size(); ++d)
                values[d] = unit_float(words[d]) < values[d] ? 1.0F : 0.0F;
        }
    }
};

class Gaussian final : public Likelihood {
 public:
    ValueId add_density(Graph& graph, ValueId output, ValueId x) const override {
        const std::int64_t features = graph.value(x).shape.columns;
        const ValueId log_variance = graph.parameter({{.name = kLogVariance, .shape = {features}}});
        return graph.add(GaussianDensity{}, {output, x, log_variance})[0];
    }
    void to_mean(Backend&, FloatMatrix) const override {}
    void draw(Backend& backend, const ParameterLayout& layout, const ParameterStore& store,
              const CounterRandom& random, std::span<const std::int64_t> rows,
              FloatMatrix mean_host) const override {
        const auto features = static_cast<std::size_t>(mean_host.columns);
        std::vector<float> deviation(features);
        backend.copy_out(deviation.data(), store.values.data() + layout.find(kLogVariance).offset,
                         features * sizeof(float));
        for (float& value : deviation)
            value = std::exp(0.5F * value);
        std::vector<float> noise(features);
        for (std::int64_t r = 0; r < mean_host.rows; ++r) {
            random.normals(0, static_cast<std::uint64_t>(rows[static_cast<std::size_t>(r)]), noise);
            for (std::size_t d = 0; d < features; ++d)
                mean_host.row(r)[d] += deviation[d] * noise[d];
        }
    }

 private:
    static constexpr const char* kLogVariance = "decoder/log_variance";
};

}  // namespace

std::unique_ptr<Likelihood> make_likelihood(LikelihoodKind kind) {
    switch (kind) {
        case LikelihoodKind::bernoulli:
            return std::make_unique<Bernoulli>();
        case LikelihoodKind::gaussian:
            return std::make_unique<Gaussian>();
    }
    require(false, "every likelihood has a class");
    return nullptr;
}

}  // namespace vae_dist
