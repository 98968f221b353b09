#include "vae_dist/infer/trained_model.hpp"

#include <algorithm>

#include "vae_dist/comm/agreement.hpp"
#include "vae_dist/comm/compute_choice.hpp"
#include "vae_dist/core/error.hpp"
#include "vae_dist/core/program.hpp"
#include "vae_dist/core/shape.hpp"
#include "vae_dist/train/record/find_checkpoint.hpp"
#include "vae_dist/train/run/start.hpp"

namespace vae_dist {

namespace {

FoundCheckpoint find_for_all(const std::string& path, Communicator& communicator, const Log& log) {
    FoundCheckpoint found;
    run_on_first_rank(communicator, [&] { found = find_checkpoint(path, log); });
    found.name = broadcast_text(communicator, found.name, 0);
    auto size = static_cast<std::int64_t>(found.bytes.size());
    communicator.broadcast(std::as_writable_bytes(std::span(&size, 1)), 0);
    run_together(communicator, [&] { found.bytes.resize(static_cast<std::size_t>(size)); });
    communicator.broadcast(found.bytes, 0);
    return found;
}

std::vector<ModelCondition> conditions_of(const Checkpoint& checkpoint) {
    std::vector<ModelCondition> conditions;
    const std::vector<std::string>& names = checkpoint.config.model.condition.on;
    for (std::size_t i = 0; i < names.size(); ++i)
        conditions.push_back(
            {.name = names[i], .columns = std::ssize(checkpoint.condition_statistics[i].mean)});
    return conditions;
}

}  // namespace

TrainedModel::TrainedModel(const std::string& path, Communicator& communicator, const Log& log) {
    const FoundCheckpoint found = find_for_all(path, communicator, log);
    file_ = found.name;
    run_together(communicator, [&] { checkpoint_ = parse_checkpoint(found.bytes, found.name); });
    // What computes is this machine's matter, not that of the one it was trained on.
    const ComputeConfig compute = {.threads =
                                       std::min<std::int64_t>(config().compute.threads, usable_cores())};
    const ComputeChoice choice = choose_compute(compute, communicator, log);
    run_together(communicator, [&] {
        backend_ = make_backend(choice, compute);
        vae_ = std::make_unique<Vae>(config().model, element_count(row_shape()), *backend_,
                                     config().train.precision, conditions_of(checkpoint_));
        restore_model(checkpoint_, *vae_, *backend_);
        checkpoint_.model.clear();
        checkpoint_.optimizer.clear();
    });
    warn_where_ranks_differ(*backend_, communicator, log);
}

}  // namespace vae_dist
