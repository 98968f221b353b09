#include "vae_dist/train/step/training_step.hpp"

#include <cmath>
#include <utility>

#include "train/step/device_step.hpp"
#include "train/step/host_step.hpp"
#include "train/step/passes.hpp"
#include "vae_dist/comm/agreement.hpp"
#include "vae_dist/core/error.hpp"
#include "vae_dist/train/schedule.hpp"

namespace vae_dist {

TrainingStep::TrainingStep(const Config& config, std::int64_t total_steps, Replica& replica,
                           Communicator& communicator)
    : config_(config),
      replica_(replica),
      communicator_(communicator),
      total_steps_(total_steps),
      under_way_{make_under_way(), make_under_way()} {}

TrainingStep::UnderWay TrainingStep::make_under_way() const {
    return {replica_.vae.terms(config_.objective.importance_samples), most_passes(config_, replica_)};
}

// The verbs of a step in their order. Processors have done each when it returns: the result is read, and
// decides whether there is an update. A device is asked for all of them ahead of the result; only where
// `depth` is 1 it waits for the decision, too. An error of this rank is told with the sum, as long as it can.
void TrainingStep::start(BatchLoader& loader, std::int64_t step, std::int64_t updates,
                         const AskForWishes& ask) {
    UnderWay& now = begin(step, ask);
    try {
        communicator_.set_activity("reading data");
        load(loader, now);
    } catch (...) {
        now.error = std::current_exception();
    }
    lap(&StepTimes::data);
    replica_.optimizer.begin(updates + 1, now.result.learning_rate);
    const bool decides_first = depth() == 1;
    const auto body = [&] {
        try {
            for (const Slice& pass : now.passes()) {
                const VaeInput input = input_of(config_, *now.batch, pass, replica_.input);
                lap(&StepTimes::data);
                forward(input, now);
                lap(&StepTimes::forward);
                const PassPlace place = {&pass == &now.passes().front(), &pass == &now.passes().back()};
                std::int64_t added = 0;
                const auto ready = [&](std::int64_t end) {
                    lap(&StepTimes::backward);
                    add({std::exchange(added, end), end}, place);
                    lap(&StepTimes::reduce);
                };
                replica_.vae.backward(input, now.weights, std::ref(ready));
                require(added == replica_.vae.layout().size(), "the backward pass finishes every gradient");
            }
        } catch (...) {
            if (now.told) throw;
            now.error = std::current_exception();
        }
        sum(now);
        if (!decides_first) update(now);
    };
    repeatable(now, std::ref(body));
    if (decides_first) read_result(now);
    if (decides_first && now.result.applied) update(now);
    ++started_;
}

const StepResult& TrainingStep::finish() {
    require(finished_ < started_, "a step that was started is finished");
    UnderWay& step = under_way_[finished_++ % under_way_.size()];
    if (!step.read) read_result(step);
    times_ = std::exchange(spent_, {});
    return step.result;
}

const StepResult& TrainingStep::run(BatchLoader& loader, std::int64_t step, std::int64_t updates,
                                    const AskForWishes& ask) {
    start(loader, step, updates, ask);
    return finish();
}

TrainingStep::UnderWay& TrainingStep::begin(std::int64_t step, const AskForWishes& ask) {
    require(started_ < finished_ + static_cast<std::size_t>(depth()), "no more steps are started than depth");
    UnderWay& now = under_way_[started_ % under_way_.size()];
    now.result = {.mean = std::move(now.result.mean),  // with its memory
                  .beta = kl_weight(config_.objective, step),
                  .learning_rate = learning_rate(config_.optimizer, step, total_steps_)};
    now.batch = nullptr;
    now.tail.clear();
    now.ask = &ask;
    now.error = nullptr;
    now.told = false;
    now.read = false;
    watch_ = {};
    return now;
}

void TrainingStep::load(BatchLoader& loader, UnderWay& now) {
    now.batch = &loader.next();
    now.result.samples = now.batch->samples;
    now.weights = weights_of(config_, *now.batch, now.result.beta);
}

void TrainingStep::complete_tail(UnderWay& now) {
    try {
        const StepWishes wishes = !now.error && *now.ask ? (*now.ask)() : StepWishes{};
        if (wishes.stop) now.tail.ask_to_stop();
        if (wishes.save) now.tail.ask_to_save();
    } catch (...) {
        now.error = std::current_exception();
    }
    if (now.error) now.tail.report_failure();
    now.told = true;
}

void TrainingStep::read_result(UnderWay& now) {
    await_sum(now);
    now.read = true;
    if (now.tail.failed()) throw_together(communicator_, now.error);
    StepResult& result = now.result;
    now.tail.read_terms(result.mean.values());
    result.stop = now.tail.is_to_stop();
    result.save = now.tail.is_to_save();
    result.applied = now.tail.finite() && std::isfinite(result.gradient_norm);
}

std::unique_ptr<TrainingStep> make_training_step(const Config& config, std::int64_t total_steps,
                                                 Replica& replica, Communicator& communicator) {
    if (DeviceBackend* const device = replica.backend.device())
        return std::make_unique<DeviceStep>(config, total_steps, replica, *device, communicator);
    return std::make_unique<HostStep>(config, total_steps, replica, communicator);
}

}  // namespace vae_dist
