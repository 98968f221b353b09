#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "vae_dist/comm/communicator.hpp"
#include "vae_dist/config/config.hpp"
#include "vae_dist/data/batch_loader.hpp"
#include "vae_dist/model/vae.hpp"
#include "vae_dist/train/replica.hpp"
#include "vae_dist/train/shard_plan.hpp"
#include "vae_dist/train/step_tail.hpp"

namespace vae_dist {

class GradientReducer;
class ParameterGather;
class Team;
struct SharedParameters;

/// Seconds that this rank spent in the parts of one step.
struct StepTimes {
    double data = 0;
    double forward = 0;
    double backward = 0;
    double wait = 0;       ///< for the other ranks to come to the sum
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

/// One step of training on all ranks: forward, backward, sum, clip, update. Each rank updates its own parts
/// of the parameters and hands them to the others. In a bfloat16 run it keeps the float32 values of matrices
/// for its own parts alone; in every run the optimizer's state.
class TrainingStep {
 public:
    /// Collective. The replica's parameters and gradients move to memory that the ranks of a host share.
    TrainingStep(const Config& config, std::int64_t total_steps, Replica& replica,
                 Communicator& communicator);
    ~TrainingStep();

    /// Collective. The next batch of `loader` as step `step` (from 0), `update` counting the updates that
    /// were applied before. An error on any rank is thrown on all of them. `ask` is called just before the
    /// ranks meet, so that its answer, and an error that it throws, reach all of them in the same reduction.
    StepResult run(BatchLoader& loader, std::int64_t step, std::int64_t update,
                   const std::function<StepWishes()>& ask = {});

    /// Collective. Brings rank 0 the whole state of the run: all parameters and the optimizer's state.
    void collect_state();

    const StepTimes& times() const { return times_; }
    /// Bytes held besides the replica.
    std::int64_t bytes() const;
    /// Among whom, and how, gradients are added up: "2 hosts of 4 ranks, which share memory".
    std::string description() const;

 private:
    TrainingStep(const Config& config, std::int64_t total_steps, Replica& replica, Communicator& communicator,
                 std::unique_ptr<Team> team);
    void accumulate_slices(BatchLoader& loader, StepResult& result, StepTail& tail);
    void update_weights(StepResult& result, std::int64_t update);
    bool add_up(std::int64_t bucket, bool and_update);
    void update_own_parts(double factor);
    void update(ElementRange chunk, std::span<const float> gradient);
    double agree_on_norm(bool fits);
    ElementRange own_part(std::int64_t bucket) const { return plan_.part(bucket, communicator_.rank()); }
    ParameterStore& store() { return replica_.vae.parameters(); }

    Config config_;
    std::int64_t total_steps_;
    Replica& replica_;
    Communicator& communicator_;
    ShardPlan plan_;
    /// (chunks + 1) bits of each chunk's sum of squares, a double; last, whether a gradient did not fit.
    std::vector<std::int64_t> squares_;
    StepTimes times_;
    // What was given to the team's messages outlives them.
    std::unique_ptr<SharedParameters> parameters_;
    std::unique_ptr<GradientReducer> reducer_;
    std::unique_ptr<ParameterGather> gather_;
    std::unique_ptr<Team> team_;
};

}  // namespace vae_dist
