#include <cmath>

#include "train/optimizer/optimizers.hpp"

namespace vae_dist {

namespace {

class Adam final : public Optimizer {
 public:
    Adam(const OptimizerConfig& config, Backend& backend, std::int64_t size)
        : Optimizer(backend), config_(config) {
        add_state("first_moment", size);
        add_state("second_moment", size);
    }

    void begin(std::int64_t update, double learning_rate) override {
        const auto t = static_cast<double>(update);
        step_ = {
            .learning_rate = static_cast<float>(learning_rate),
            .beta1 = static_cast<float>(config_.beta1),
            .beta2 = static_cast<float>(config_.beta2),
            .epsilon = static_cast<float>(config_.epsilon),
            .correction1 = static_cast<float>(1 / (1 - std::pow(config_.beta1, t))),
            .correction2 = static_cast<float>(1 / (1 - std::pow(config_.beta2, t))),
            .decay = static_cast<float>(1 - learning_rate * config_.weight_decay),
        };
    }

    void apply(std::int64_t first, std::span<const float> gradient, std::span<float> weights) const override {
        backend_.adam(step_, gradient, state(0, first, weights.size()), state(1, first, weights.size()),
                      weights);
    }

 private:
    OptimizerConfig config_;
    AdamStep step_;
};

}  // namespace

std::unique_ptr<Optimizer> make_adam(const OptimizerConfig& config, Backend& backend, std::int64_t size) {
    return std::make_unique<Adam>(config, backend, size);
}

}  // namespace vae_dist
