#include "train/optimizer/optimizers.hpp"

namespace vae_dist {

namespace {

class Sgd final : public Optimizer {
 public:
    Sgd(const OptimizerConfig& config, Backend& backend, std::int64_t size)
        : Optimizer(backend), config_(config) {
        add_state("velocity", size);
    }

    void step(std::int64_t, double learning_rate, std::span<const float> gradient,
              std::span<float> weights) override {
        backend_.sgd(static_cast<float>(learning_rate), static_cast<float>(config_.momentum),
                     static_cast<float>(1 - learning_rate * config_.weight_decay), gradient, state(0),
                     weights);
    }

 private:
    OptimizerConfig config_;
};

}  // namespace

std::unique_ptr<Optimizer> make_sgd(const OptimizerConfig& config, Backend& backend, std::int64_t size) {
    return std::make_unique<Sgd>(config, backend, size);
}

}  // namespace vae_dist
