#include "vae_dist/train/training_step.hpp"

#include <chrono>
#include <cmath>
#include <exception>

#include "vae_dist/comm/agreement.hpp"
#include "vae_dist/core/error.hpp"
#include "vae_dist/train/schedule.hpp"

namespace vae_dist {

namespace {

// Adds the seconds since the last lap to a part's sum.
class Stopwatch {
 public:
    void lap(double& seconds) {
        const auto now = std::chrono::steady_clock::now();
        seconds += std::chrono::duration<double>(now - last_).count();
        last_ = now;
    }

 private:
    std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

// How many passes make up a batch, over all ranks, at the most.
std::int64_t most_passes(const Config& config, const Replica& replica) {
    return config.train.virtual_ranks.value() *
           passes_of(replica.slice_rows, config.objective.importance_samples);
}

}  // namespace

TrainingStep::TrainingStep(const Config& config, std::int64_t total_steps, Replica& replica,
                           Communicator& communicator)
    : config_(config),
      total_steps_(total_steps),
      replica_(replica),
      communicator_(communicator),
      reducer_(make_gradient_reducer(config.train.reduction, replica.vae.parameters(), replica.backend,
                                     communicator, most_passes(config, replica))) {}

StepResult TrainingStep::run(BatchLoader& loader, std::int64_t step, std::int64_t update,
                             const std::function<StepWishes()>& ask) {
    StepResult result;
    result.beta = kl_weight(config_.objective, step);
    result.learning_rate = learning_rate(config_.optimizer, step, total_steps_);
    times_ = {};
    StepTail tail(most_passes(config_, replica_));
    std::exception_ptr error;
    try {
        accumulate_slices(loader, result, tail);
        const StepWishes wishes = ask ? ask() : StepWishes{};
        if (wishes.stop) tail.ask_to_stop();
        if (wishes.save) tail.ask_to_save();
    } catch (...) {
        // The others are on their way into the reduction: tell them there.
        error = std::current_exception();
        tail.report_failure();
    }
    Stopwatch watch;
    communicator_.doing("adding up gradients");
    reducer_->reduce(tail);
    if (tail.failed()) throw_together(communicator_, error);
    communicator_.doing("updating the weights");
    watch.lap(times_.reduce);
    result.stop = tail.is_to_stop();
    result.save = tail.is_to_save();
    result.mean = tail.terms();
    result.applied = tail.finite();
    if (result.applied) update_weights(result, update);
    watch.lap(times_.optimizer);
    return result;
}

void TrainingStep::accumulate_slices(BatchLoader& loader, StepResult& result, StepTail& tail) {
    Stopwatch watch;
    reducer_->begin();
    communicator_.doing("reading data");
    const Batch& batch = loader.next();
    communicator_.doing("forward and backward pass");
    watch.lap(times_.data);
    result.samples = batch.samples;
    const ObjectiveWeights weights = {.sample_weight = 1.0 / static_cast<double>(batch.samples),
                                      .beta = result.beta,
                                      .free_bits = config_.objective.free_bits};
    const std::int64_t draws = config_.objective.importance_samples;
    const auto visit = static_cast<std::uint32_t>(batch.epoch);
    const auto accumulate = [&](const Slice& part) {
        const VaeInput input = {.x = replica_.input.load(part, visit),
                                .rows = part.rows,
                                .noise = CounterRandom(config_.train.seed, Purpose::posterior_noise),
                                .visit = visit,
                                .draws = draws};
        watch.lap(times_.data);
        tail.add(share_of(replica_.vae.forward(input, weights), weights.sample_weight));
        watch.lap(times_.forward);
        std::int64_t reduced = 0;
        replica_.vae.backward(input, weights, [&](std::int64_t end) {
            watch.lap(times_.backward);
            reducer_->add(reduced, end);
            reduced = end;
            watch.lap(times_.reduce);
        });
        require(reduced == replica_.vae.layout().size(), "the backward pass finishes every gradient");
    };
    for (const Slice& slice : batch.slices)
        for_each_pass(slice, draws, accumulate);
}

void TrainingStep::update_weights(StepResult& result, std::int64_t update) {
    ParameterStore& store = replica_.vae.parameters();
    const OptimizerConfig& optimizer = config_.optimizer;
    if (optimizer.l1 > 0 || optimizer.l2 > 0) {
        replica_.backend.add_penalty(store.values, static_cast<float>(optimizer.l1),
                                     static_cast<float>(optimizer.l2), store.gradients);
    }
    result.gradient_norm = std::sqrt(replica_.backend.sum_of_squares(store.gradients));
    // Penalties of huge weights can be what is not finite.
    result.applied = std::isfinite(result.gradient_norm);
    if (!result.applied) return;
    if (optimizer.clip_norm > 0 && result.gradient_norm > optimizer.clip_norm) {
        replica_.backend.scale(store.gradients,
                               static_cast<float>(optimizer.clip_norm / result.gradient_norm));
    }
    replica_.optimizer->step(update + 1, result.learning_rate, store.gradients, store.values);
}

}  // namespace vae_dist
