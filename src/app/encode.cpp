#include "vae_dist/infer/encode.hpp"

#include "app/commands.hpp"

namespace vae_dist {

void run_command(const EncodeCommand& command, Communicator& communicator, const Log& log) {
    const TrainedModel model(command.checkpoint, communicator, log);
    InferenceDataOptions data = command.data;
    data.seed = command.seed.value_or(model.config().train.seed);
    encode(model, data, command.output, communicator, log);
}

}  // namespace vae_dist
