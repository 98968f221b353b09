#include "vae_dist/train/training_step.hpp"

#include "train/step/device_engine.hpp"
#include "train/step/host_engine.hpp"

namespace vae_dist {

TrainingStep::TrainingStep(const Config& config, std::int64_t total_steps, Replica& replica,
                           Communicator& communicator) {
    if (DeviceBackend* const device = replica.backend.device()) {
        engine_ = std::make_unique<DeviceEngine>(config, total_steps, replica, *device, communicator);
    } else {
        engine_ = std::make_unique<HostEngine>(config, total_steps, replica, communicator);
    }
}

TrainingStep::~TrainingStep() = default;

StepResult TrainingStep::run(BatchLoader& loader, std::int64_t step, std::int64_t update,
                             const AskForWishes& ask) {
    start(loader, step, update, ask);
    return finish();
}

void TrainingStep::start(BatchLoader& loader, std::int64_t step, std::int64_t update,
                         const AskForWishes& ask) {
    engine_->start(loader, step, update, ask);
}

StepResult TrainingStep::finish() {
    return engine_->finish();
}

int TrainingStep::depth() const {
    return engine_->depth();
}

void TrainingStep::collect_state() {
    engine_->collect_state();
}

const StepTimes& TrainingStep::times() const {
    return engine_->times();
}

std::int64_t TrainingStep::bytes() const {
    return engine_->bytes();
}

std::string TrainingStep::description() const {
    return engine_->description();
}

}  // namespace vae_dist
