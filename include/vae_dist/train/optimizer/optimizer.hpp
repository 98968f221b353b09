#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "vae_dist/backend/backend.hpp"
#include "vae_dist/config/config.hpp"

namespace vae_dist {

/// Changes the weights by a gradient. Its state is flat arrays laid out like the parameters, so that
/// checkpoints treat it like them.
class Optimizer {
 public:
    struct State {
        std::string name;  ///< "first_moment": its group below /optimizer in a checkpoint
        Buffer buffer;     ///< (parameters), float
    };

    virtual ~Optimizer() = default;

    /// An update begins; `update` counts from 1, updates that were skipped not among them.
    virtual void begin(std::int64_t update, double learning_rate) = 0;
    /// Updates the weights from element `first` of the flat arrays on, and the state with them; both spans
    /// have one length. Several threads may call it for ranges that do not overlap.
    virtual void apply(std::int64_t first, std::span<const float> gradient,
                       std::span<float> weights) const = 0;

    const std::vector<State>& states() const { return states_; }

 protected:
    explicit Optimizer(Backend& backend) : backend_(backend) {}
    void add_state(const std::string& name, std::int64_t size) {
        states_.push_back({name, backend_.allocate(static_cast<std::size_t>(size) * sizeof(float))});
    }
    /// Of the `size` elements from `first` on.
    std::span<float> state(std::size_t index, std::int64_t first, std::size_t size) const {
        return states_[index].buffer.span<float>().subspan(static_cast<std::size_t>(first), size);
    }

    Backend& backend_;

 private:
    std::vector<State> states_;
};

std::unique_ptr<Optimizer> make_optimizer(const OptimizerConfig& config, Backend& backend, std::int64_t size);

}  // namespace vae_dist
