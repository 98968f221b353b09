#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "vae_dist/comm/communicator.hpp"
#include "vae_dist/config/config.hpp"
#include "vae_dist/data/loader/batch_loader.hpp"
#include "vae_dist/model/vae.hpp"
#include "vae_dist/train/step/replica.hpp"
#include "vae_dist/train/step/shard_plan.hpp"
#include "vae_dist/train/step/step_tail.hpp"
#include "vae_dist/train/step/stopwatch.hpp"

namespace vae_dist {

/// Seconds that this rank spent in the parts of one step; of a device's, those in which its host asked for
/// them.
struct StepTimes {
    double data = 0;
    double forward = 0;
    double backward = 0;
    double wait = 0;       ///< for the other ranks to come to the sum; for a device, for all that it does
    double reduce = 0;     ///< adding up gradients, and bringing every rank the new parameters
    double optimizer = 0;  ///< this rank's own parts
};

/// The outcome of a step; the same bits on every rank.
struct StepResult {
    std::int64_t samples = 0;  ///< in the global batch
    TermValues mean = {};      ///< per sample of the global batch
    double beta = 0;           ///< weight of the KL term
    double learning_rate = 0;
    double gradient_norm = 0;  ///< of the whole gradient, penalties included, before clipping
    /// False: a number was not finite. Where that skips a step the weights are as they were, where it stops
    /// the run they may be anything.
    bool applied = true;
    bool stop = false;  ///< some rank asked to stop
    bool save = false;  ///< some rank asked to save
};

/// What one rank requests of all ranks after a step.
struct StepWishes {
    bool stop = false;
    bool save = false;
};

/// Asked on every rank just before it hands in its gradients.
using AskForWishes = std::function<StepWishes()>;

/// One step of training on all ranks: load, forward, backward, sum, update. Each rank updates its own parts
/// of the parameters and hands them to the others. In a bfloat16 run on processors it keeps the float32
/// values of matrices for its own parts alone; in every run the optimizer's state.
///
/// The order stands in `start` alone. What is done where the arrays lie is an implementation's: on
/// processors HostStep, on devices DeviceStep.
class TrainingStep {
 public:
    virtual ~TrainingStep() = default;
    TrainingStep(const TrainingStep&) = delete;
    TrainingStep& operator=(const TrainingStep&) = delete;

    /// Collective. The next batch of `loader` as step `step` (from 0), before which `updates` were applied.
    /// An error on any rank is thrown on all of them. The answer of `ask`, and an error that it throws, reach
    /// all ranks with the step's result, which is valid until the next start.
    const StepResult& run(BatchLoader& loader, std::int64_t step, std::int64_t updates,
                          const AskForWishes& ask = {});

    /// `run` in two halves, for a device that works while the host goes on: up to `depth` steps may have been
    /// started and not finished. `finish` is about the first of these; errors come from both. Where
    /// config.train.on_nonfinite is skip, depth is 1: the next step depends on whether this one is applied.
    void start(BatchLoader& loader, std::int64_t step, std::int64_t updates, const AskForWishes& ask = {});
    const StepResult& finish();
    /// With 1 the result is read before the update, on which it decides.
    virtual int depth() const = 0;

    /// Collective, with no step under way. Brings rank 0 the whole state of the run: all parameters and the
    /// optimizer's state.
    virtual void collect_state() = 0;

    /// Of the step that was finished last.
    const StepTimes& times() const { return times_; }
    /// Bytes held besides the replica.
    virtual std::int64_t bytes() const = 0;
    /// Among whom, and how, gradients are added up: "on one rank", "among 4 ranks that share memory".
    virtual std::string description() const = 0;

 protected:
    static constexpr std::size_t kMostDepth = 2;

    /// A step that was started and not finished.
    struct UnderWay {
        UnderWay(const TermValues& terms, std::int64_t most_passes)
            : result{.mean = terms}, tail(terms.values().size(), most_passes) {}

        StepResult result;
        const Batch* batch = nullptr;  ///< none where it could not be read
        ObjectiveWeights weights;
        StepTail tail;  ///< this rank's words of the step; after the sum, the sums over all ranks
        const AskForWishes* ask = nullptr;
        std::exception_ptr error;  ///< of this rank
        bool told = false;         ///< the tail is complete: an error that comes later is not in it
        bool read = false;         ///< the result is known

        /// Of the batch; none after an error.
        std::span<const Slice> passes() const { return error ? std::span<const Slice>() : batch->passes; }
    };
    /// Where a pass stands among those of its step on this rank.
    struct PassPlace {
        bool first = false;
        bool last = false;
    };

    TrainingStep(const Config& config, std::int64_t total_steps, Replica& replica,
                 Communicator& communicator);

    std::size_t terms() const { return under_way_[0].result.mean.values().size(); }
    /// Adds to the tail what this rank requests of all, or that it failed: as late as it can be changed.
    void complete_tail(UnderWay& now);
    /// The time since the last lap was spent in a part.
    void lap(double StepTimes::*part) { watch_.lap(spent_.*part); }
    std::size_t slot_of(const UnderWay& step) const {
        return static_cast<std::size_t>(&step - under_way_.data());
    }
    bool is_idle() const { return started_ == finished_; }
    ParameterStore& store() { return replica_.vae.parameters(); }

    Config config_;
    Replica& replica_;
    Communicator& communicator_;
    Stopwatch watch_;
    StepTimes spent_;  ///< since a step was finished last

 private:
    /// Calls body(), of passes and sum. A device keeps what the body asks of it and repeats it in steps of
    /// equal shapes.
    virtual void repeatable(UnderWay& now, const std::function<void()>& body) = 0;
    /// Adds a pass's terms to the tail; keeps what the backward pass needs.
    virtual void forward(const VaeInput& input, UnderWay& now) = 0;
    /// Takes in gradients that a pass has finished. Where it is the last pass, their sum over all ranks may
    /// begin.
    virtual void add(ElementRange range, PassPlace place) = 0;
    /// The sums of tail and gradients over all ranks; where the update depends on it, the gradient's norm.
    virtual void sum(UnderWay& now) = 0;
    /// Returns when the tail and that norm are known.
    virtual void await_sum(UnderWay& now) = 0;
    /// Clips and updates this rank's parts of the parameters, and hands them to the others. Completes the
    /// result where the norm was not known.
    virtual void update(UnderWay& now) = 0;

    UnderWay make_under_way() const;
    UnderWay& begin(std::int64_t step, const AskForWishes& ask);
    void load(BatchLoader& loader, UnderWay& now);
    void read_result(UnderWay& now);

    std::int64_t total_steps_;
    std::array<UnderWay, kMostDepth> under_way_;  ///< used in turn
    std::size_t started_ = 0;
    std::size_t finished_ = 0;
    StepTimes times_;
};

/// Collective. For the replica's backend. The replica's parameters and gradients may move to other memory,
/// which their ranks share.
std::unique_ptr<TrainingStep> make_training_step(const Config& config, std::int64_t total_steps,
                                                 Replica& replica, Communicator& communicator);

}  // namespace vae_dist
