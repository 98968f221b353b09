#include "vae_dist/model/likelihood.hpp"

#include "vae_dist/core/error.hpp"

namespace vae_dist {

namespace {

class Bernoulli final : public Likelihood {
 public:
    void backward(Backend& backend, ParameterStore&, FloatMatrix logits, ConstFloatMatrix x, float weight,
                  float* log_likelihood) const override {
        backend.bernoulli(logits, x, weight, log_likelihood, logits);
    }
    void forward(Backend& backend, const ParameterStore&, ConstFloatMatrix logits, ConstFloatMatrix x,
                 float* log_likelihood) const override {
        backend.bernoulli(logits, x, 0, log_likelihood, {});
    }
    std::int64_t end() const override { return 0; }
};

class Gaussian final : public Likelihood {
 public:
    Gaussian(ParameterLayout& layout, std::int64_t features)
        : log_variance_(layout.add({{"decoder/log_variance", {features}}})), end_(layout.size()) {}

    void backward(Backend& backend, ParameterStore& store, FloatMatrix mean, ConstFloatMatrix x, float weight,
                  float* log_likelihood) const override {
        backend.gaussian(mean, store.values.data() + log_variance_, x, weight, log_likelihood, mean,
                         store.gradients.data() + log_variance_);
    }
    void forward(Backend& backend, const ParameterStore& store, ConstFloatMatrix mean, ConstFloatMatrix x,
                 float* log_likelihood) const override {
        backend.gaussian(mean, store.values.data() + log_variance_, x, 0, log_likelihood, {}, nullptr);
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
