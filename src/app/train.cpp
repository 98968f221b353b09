#include "app/commands.hpp"
#include "vae_dist/train/run/trainer.hpp"

namespace vae_dist {

int run_command(const TrainCommand& command, const StopSignals& signals, Communicator& communicator,
                const Log& log) {
    constexpr int kStoppedEarly = 75;  // EX_TEMPFAIL of sysexits.h: run it again
    const Config config = load_config_together(command.config, command.overrides, communicator);
    return train(config, signals, communicator, log) == TrainingEnd::stopped ? kStoppedEarly : 0;
}

}  // namespace vae_dist
