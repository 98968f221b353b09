#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "vae_dist/backend/backend.hpp"
#include "vae_dist/config/config.hpp"

namespace vae_dist {

/// Changes weights by the update rule that a configuration names. The rule's state is flat arrays laid out
/// like the parameters, so that checkpoints treat them alike.
class Optimizer {
 public:
    struct State {
        std::string name;  ///< "first_moment": its group below /optimizer in a checkpoint
        Buffer buffer;     ///< (parameters), float
    };

    /// For `size` parameters in memory of `backend`, which outlives this. The state is 0.
    Optimizer(const OptimizerConfig& config, Backend& backend, std::int64_t size);

    /// Begins an update. `update` counts from 1; an update that was skipped does not count.
    void begin(std::int64_t update, double learning_rate);
    /// Updates the weights from element `first` of the flat arrays on, and the state with them; both spans
    /// have one length. Several threads may call it for ranges that do not overlap.
    void apply(std::int64_t first, std::span<const float> gradient, std::span<float> weights) const;

    const std::vector<State>& states() const { return states_; }

 private:
    OptimizerConfig config_;
    Backend& backend_;
    UpdateRule rule_;
    std::vector<State> states_;
};

}  // namespace vae_dist
