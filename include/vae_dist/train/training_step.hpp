#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "vae_dist/comm/communicator.hpp"
#include "vae_dist/config/config.hpp"
#include "vae_dist/data/batch_loader.hpp"
#include "vae_dist/model/vae.hpp"
#include "vae_dist/train/replica.hpp"

namespace vae_dist {

class StepEngine;

/// Seconds that this rank spent in the parts of one step.
struct StepTimes {
    double data = 0;
    double forward = 0;
    double backward = 0;
    double wait = 0;       ///< for the other ranks to come to the sum; for a device, for all that it does
    double reduce = 0;     ///< adding up gradients, and bringing every rank the new parameters
    double optimizer = 0;  ///< this rank's own parts
};

/// What every rank knows after a step; the same bits on each.
struct StepResult {
    std::int64_t samples = 0;  ///< in the global batch
    ElboTerms mean;            ///< per sample of the global batch
    double beta = 0;           ///< weight of the KL term
    double learning_rate = 0;
    double gradient_norm = 0;  ///< of the whole gradient, penalties included, before clipping
    /// False: a number was not finite. Where that skips a step the weights are as they were, where it stops
    /// the run they may be anything.
    bool applied = true;
    bool stop = false;  ///< some rank asked to stop
    bool save = false;  ///< some rank asked to save
};

/// What one rank asks of all ranks after a step.
struct StepWishes {
    bool stop = false;
    bool save = false;
};

/// Asked on every rank just before it hands in its gradients.
using AskForWishes = std::function<StepWishes()>;

/// One step of training on all ranks: forward, backward, sum, clip, update. Each rank updates its own parts
/// of the parameters and hands them to the others. In a bfloat16 run on processors it keeps the float32
/// values of matrices for its own parts alone; in every run the optimizer's state.
class TrainingStep {
 public:
    /// Collective. The replica's parameters and gradients may move to other memory, which their ranks share.
    TrainingStep(const Config& config, std::int64_t total_steps, Replica& replica,
                 Communicator& communicator);
    ~TrainingStep();

    /// Collective. The next batch of `loader` as step `step` (from 0), `update` counting the updates that
    /// were applied before. An error on any rank is thrown on all of them. The answer of `ask`, and an error
    /// that it throws, reach all ranks with the step's result.
    StepResult run(BatchLoader& loader, std::int64_t step, std::int64_t update, const AskForWishes& ask = {});

    /// `run` in two halves, for a device that works while the host goes on: up to `depth` steps may have been
    /// started and not finished. `finish` is about the first of these; errors come from it. Where
    /// config.train.on_nonfinite is skip, depth is 1: the next step depends on whether this one is applied.
    void start(BatchLoader& loader, std::int64_t step, std::int64_t update, const AskForWishes& ask = {});
    StepResult finish();
    int depth() const;

    /// Collective, with no step under way. Brings rank 0 the whole state of the run: all parameters and the
    /// optimizer's state.
    void collect_state();

    /// Of the step that was finished last.
    const StepTimes& times() const;
    /// Bytes held besides the replica.
    std::int64_t bytes() const;
    /// Among whom, and how, gradients are added up: "on one rank", "among 4 ranks that share memory".
    std::string description() const;

 private:
    std::unique_ptr<StepEngine> engine_;
};

}  // namespace vae_dist
