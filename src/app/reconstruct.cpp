#include "vae_dist/infer/reconstruct.hpp"

#include "app/commands.hpp"

namespace vae_dist {

void run_command(const ReconstructCommand& command, Communicator& communicator, const Log& log) {
    const TrainedModel model(command.checkpoint, communicator, log);
    ReconstructOptions options = command.options;
    options.seed = command.seed.value_or(model.config().train.seed);
    reconstruct(model, options, communicator, log);
}

}  // namespace vae_dist
