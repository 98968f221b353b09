#include "vae_dist/infer/generate.hpp"

#include "app/commands.hpp"

namespace vae_dist {

void run_command(const GenerateCommand& command, Communicator& communicator, const Log& log) {
    const TrainedModel model(command.checkpoint, communicator, log);
    GenerateOptions options = command.options;
    options.seed = command.seed.value_or(model.config().train.seed);
    generate(model, options, communicator, log);
}

}  // namespace vae_dist
