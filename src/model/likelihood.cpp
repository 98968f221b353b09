#include "vae_dist/model/likelihood.hpp"

#include <cmath>
#include <vector>

#include "vae_dist/core/error.hpp"

namespace vae_dist {

namespace {

class Bernoulli final : public Likelihood {
 public:
    void backward(Backend& backend, ParameterStore&, ConstFloatMatrix logits, ConstFloatMatrix x,
                  const float* weights, float* log_likelihood, Operand dlogits) const override {
        backend.bernoulli(logits, x, weights, log_likelihood, dlogits);
    }
    void forward(Backend& backend, const ParameterStore&, ConstFloatMatrix logits, ConstFloatMatrix x,
                 float* log_likelihood) const override {
        backend.bernoulli(logits, x, nullptr, log_likelihood, {});
    }
    void to_mean(Backend& backend, FloatMatrix output) const override { backend.sigmoid(output); }
    void draw(Backend&, const ParameterStore&, const CounterRandom& random,
              std::span<const std::int64_t> rows, FloatMatrix mean_host) const override {
        std::vector<std::uint32_t> words(static_cast<std::size_t>(mean_host.columns));
        for (std::int64_t r = 0; r < mean_host.rows; ++r) {
            float* const values = mean_host.row(r);
            random.fill_words(0, static_cast<std::uint64_t>(rows[static_cast<std::size_t>(r)]), 0, words);
            for (std::size_t d = 0; d < words.size(); ++d)
                values[d] = unit_float(words[d]) < values[d] ? 1.0F : 0.0F;
        }
    }
    std::int64_t end() const override { return 0; }
};

class Gaussian final : public Likelihood {
 public:
    Gaussian(ParameterLayout& layout, std::int64_t features)
        : log_variance_(layout.add({{"decoder/log_variance", {features}}})), end_(layout.size()) {}

    void backward(Backend& backend, ParameterStore& store, ConstFloatMatrix mean, ConstFloatMatrix x,
                  const float* weights, float* log_likelihood, Operand dmean) const override {
        backend.gaussian(mean, store.values.data() + log_variance_, x, weights, log_likelihood, dmean,
                         store.gradients.data() + log_variance_);
    }
    void forward(Backend& backend, const ParameterStore& store, ConstFloatMatrix mean, ConstFloatMatrix x,
                 float* log_likelihood) const override {
        backend.gaussian(mean, store.values.data() + log_variance_, x, nullptr, log_likelihood, {}, nullptr);
    }
    void to_mean(Backend&, FloatMatrix) const override {}
    void draw(Backend& backend, const ParameterStore& store, const CounterRandom& random,
              std::span<const std::int64_t> rows, FloatMatrix mean_host) const override {
        const auto features = static_cast<std::size_t>(mean_host.columns);
        std::vector<float> deviation(features);
        backend.copy_out(deviation.data(), store.values.data() + log_variance_, features * sizeof(float));
        for (float& value : deviation)
            value = std::exp(0.5F * value);
        std::vector<float> noise(features);
        for (std::int64_t r = 0; r < mean_host.rows; ++r) {
            random.normals(0, static_cast<std::uint64_t>(rows[static_cast<std::size_t>(r)]), noise);
            for (std::size_t d = 0; d < features; ++d)
                mean_host.row(r)[d] += deviation[d] * noise[d];
        }
    }
    std::int64_t end() const override { return end_; }

 private:
    std::int64_t log_variance_;
    std::int64_t end_;
};

}  // namespace

std::unique_ptr<Likelihood> make_likelihood(LikelihoodKind kind, ParameterLayout& layout,
                                            std::int64_t features) {
    switch (kind) {
        case LikelihoodKind::bernoulli:
            return std::make_unique<Bernoulli>();
        case LikelihoodKind::gaussian:
            return std::make_unique<Gaussian>(layout, features);
    }
    require(false, "every likelihood has a class");
    return nullptr;
}

}  // namespace vae_dist
