#include "app/commands.hpp"
#include "vae_dist/comm/agreement.hpp"
#include "vae_dist/config/load.hpp"
#include "vae_dist/train/trainer.hpp"

namespace vae_dist {

Config load_config_together(const std::string& path, const std::vector<std::string>& overrides,
                            Communicator& communicator) {
    Config config;
    run_together(communicator, [&] { config = load_config(path, overrides); });
    return config;
}

void run_command(const TrainCommand& command, Communicator& communicator, const Log& log) {
    train(load_config_together(command.config, command.overrides, communicator), communicator, log);
}

void run_command(const PrintCommand& command, Communicator&, const Log& log) {
    log.info("{}", command.text);
}

}  // namespace vae_dist
