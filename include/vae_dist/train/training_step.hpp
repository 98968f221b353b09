#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "vae_dist/comm/communicator.hpp"
#include "vae_dist/config/config.hpp"
#include "vae_dist/data/batch_loader.hpp"
#include "vae_dist/train/gradient_reducer.hpp"
#include "vae_dist/train/replica.hpp"

namespace vae_dist {

/// Seconds that this rank spent in the parts of one step.
struct StepTimes {
    double data = 0;
    double forward = 0;
    double backward = 0;
    double reduce = 0;
    double optimizer = 0;
};

/// What every rank knows after a step; the same bits on each.
struct StepResult {
    std::int64_t samples = 0;  ///< in the global batch
    ElboTerms mean;            ///< per sample of the global batch
    double beta = 0;           ///< weight of the KL term
    double learning_rate = 0;
    double gradient_norm = 0;  ///< of the whole gradient, penalties included, before clipping
    bool applied = true;       ///< false: a number was not finite, and the weights are as they were
    bool stop = false;         ///< some rank asked to stop
    bool save = false;         ///< some rank asked to save
};

/// What one rank asks of all ranks after a step.
struct StepWishes {
    bool stop = false;
    bool save = false;
};

/// One step of training on all ranks: forward, backward, sum, clip, update.
class TrainingStep {
 public:
    TrainingStep(const Config& config, std::int64_t total_steps, Replica& replica,
                 Communicator& communicator);

    /// Collective. The next batch of `loader` as step `step` (from 0), `update` counting the updates that
    /// were applied before. An error on any rank is thrown on all of them. `ask` is called just before the
    /// ranks meet, so that its answer, and an error that it throws, reach all of them in the same reduction.
    StepResult run(BatchLoader& loader, std::int64_t step, std::int64_t update,
                   const std::function<StepWishes()>& ask = {});

    const StepTimes& times() const { return times_; }
    /// Bytes held besides the replica.
    std::int64_t bytes() const { return reducer_->bytes(); }

 private:
    void accumulate_slices(BatchLoader& loader, StepResult& result, StepTail& tail);
    void update_weights(StepResult& result, std::int64_t update);

    Config config_;
    std::int64_t total_steps_;
    Replica& replica_;
    Communicator& communicator_;
    std::unique_ptr<GradientReducer> reducer_;
    StepTimes times_;
};

}  // namespace vae_dist
