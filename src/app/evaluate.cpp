#include "vae_dist/infer/evaluate.hpp"

#include "app/commands.hpp"
#include "vae_dist/comm/agreement.hpp"
#include "vae_dist/core/pending_file.hpp"

namespace vae_dist {

void run_command(const EvaluateCommand& command, Communicator& communicator, const Log& log) {
    const TrainedModel model(command.checkpoint, communicator, log);
    EvaluateOptions options = command.options;
    options.seed = command.seed.value_or(model.config().train.seed);
    std::optional<PendingFile> json;  // begun before the work, so that what cannot be written is known then
    run_on_first_rank(communicator, [&] {
        if (command.json.path.empty()) return;
        require_replaceable(command.json.path, command.json.force, files_read(model, options.data.dataset));
        json.emplace(command.json.path, command.json.force);
    });
    const Evaluation evaluation = evaluate(model, options, communicator, log);
    run_on_first_rank(communicator, [&] {
        log.info("{}", table_of(evaluation));
        if (!json) return;
        const std::string text = json_of(evaluation, options, model) + "\n";
        json->write(std::as_bytes(std::span(text)));
        json->commit();
        log.info("the same as JSON in {}", command.json.path);
    });
}

}  // namespace vae_dist
