#include "vae_dist/train/optimizer/optimizer.hpp"

#include <array>

namespace vae_dist {

Optimizer::Optimizer(const OptimizerConfig& config, Backend& backend, std::int64_t size)
    : config_(config), backend_(backend), rule_(rule_of(config.name)) {
    for (const char* name : state_names(rule_))
        states_.push_back({name, backend.allocate(static_cast<std::size_t>(size) * sizeof(float))});
}

void Optimizer::begin(std::int64_t update, double learning_rate) {
    std::visit([&](auto& rule) { rule.begin(config_, update, learning_rate); }, rule_);
}

void Optimizer::apply(std::int64_t first, std::span<const float> gradient, std::span<float> weights) const {
    std::array<std::span<float>, kMostStates> state;
    for (std::size_t s = 0; s < states_.size(); ++s)
        state[s] = states_[s].buffer.span<float>().subspan(static_cast<std::size_t>(first), weights.size());
    backend_.update(rule_, gradient, std::span(state).first(states_.size()), weights);
}

}  // namespace vae_dist
