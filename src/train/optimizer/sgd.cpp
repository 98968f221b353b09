#include "train/optimizer/optimizers.hpp"

namespace vae_dist {

namespace {

class Sgd final : public Optimizer {
 public:
    Sgd(const OptimizerConfig& config, Backend& backend, std::int64_t size)
        : Optimizer(backend), config_(config) {
        add_state("velocity", size);
    }

    void begin(std::int64_t, double learning_rate) override {
        learning_rate_ = static_cast<float>(learning_rate);
        decay_ = static_cast<float>(1 - learning_rate * config_.weight_decay);
    }

    void apply(std::int64_t first, std::span<const float> gradient, std::span<float> weights) const override {
        backend_.sgd(learning_rate_, static_cast<float>(config_.momentum), decay_, gradient,
                     state(0, first, weights.size()), weights);
    }

 private:
    OptimizerConfig config_;
    float learning_rate_ = 0;
    float decay_ = 1;
};

}  // namespace

std::unique_ptr<Optimizer> make_sgd(const OptimizerConfig& config, Backend& backend, std::int64_t size) {
    return std::make_unique<Sgd>(config, backend, size);
}

}  // namespace vae_dist
