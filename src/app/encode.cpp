#include "vae_dist/infer/encode.hpp"

#include "app/commands.hpp"

namespace vae_dist {

void run_command(const EncodeCommand& command, Communicator& communicator, const Log& log) {
    encode(TrainedModel(command.checkpoint, communicator, log), command.data, command.output, communicator,
           log);
}

}  // namespace vae_dist
