#include "vae_dist/train/validation.hpp"

#include <exception>
#include <limits>

#include "vae_dist/comm/agreement.hpp"

namespace vae_dist {

Validation::Validation(const Config& config, std::unique_ptr<RowSource> data, VirtualRankRange mine,
                       int ranks_on_this_machine, Communicator& communicator)
    : config_(config), communicator_(communicator) {
    plan_ = std::make_unique<EpochPlan>(data->blocks(),
                                        EpochPlanOptions{.seed = config.train.seed,
                                                         .virtual_ranks = config.train.virtual_ranks.value(),
                                                         .shuffle_window = config.data.shuffle_window,
                                                         .shuffle = false});
    BatchLoaderOptions options = {.mine = mine,
                                  .batch_size = config.train.batch_size,
                                  .scale = input_scale(config.data, data->element_type()),
                                  .allowed = allowed_values(config.data.transform, config.model.likelihood)};
    options.cache = choose_cache(config.data.cache, *plan_, *data, options, ranks_on_this_machine);
    bytes_ = loader_bytes(*plan_, *data, options);
    loader_ = std::make_unique<BatchLoader>(std::move(data), *plan_, options, 0, 0);
}

ElboTerms Validation::run(Replica& replica) {
    const std::int64_t batches = steps_per_epoch(plan_->samples(), config_.train.batch_size);
    StepTail tail(batches * plan_->virtual_ranks());
    std::exception_ptr error;
    try {
        add_samples(replica, tail);
    } catch (...) {
        error = std::current_exception();
        tail.report_failure();
    }
    communicator_.all_reduce_sum(tail.words());
    if (tail.failed()) throw_together(communicator_, error);
    if (tail.finite()) return tail.terms();
    constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
    return {.reconstruction = kNan, .kl = kNan};
}

void Validation::add_samples(Replica& replica, StepTail& tail) {
    const double share = 1.0 / static_cast<double>(plan_->samples());
    for (std::int64_t done = 0; done < plan_->samples();) {
        const Batch& batch = loader_->next();
        done += batch.samples;
        for (const Slice& slice : batch.slices) {
            if (slice.rows.empty()) continue;
            const ElboTerms sums =
                replica.vae.evaluate({.x = replica.input.load(slice, 0),
                                      .rows = slice.rows,
                                      .noise = CounterRandom(config_.train.seed, Purpose::validation_noise),
                                      .visit = 0});
            tail.add({sums.reconstruction * share, sums.kl * share});
        }
    }
}

}  // namespace vae_dist
