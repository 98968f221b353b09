#include "app/commands.hpp"
#include "vae_dist/train/trainer.hpp"

namespace vae_dist {

void run_command(const TrainCommand& command, Communicator& communicator, const Log& log) {
    train(load_config_together(command.config, command.overrides, communicator), communicator, log);
}

}  // namespace vae_dist
