#include "vae_dist/train/run/validation.hpp"

#include <algorithm>
#include <limits>

#include "vae_dist/comm/agreement.hpp"
#include "vae_dist/core/error.hpp"
#include "vae_dist/core/text.hpp"
#include "vae_dist/train/run/consistency.hpp"

namespace vae_dist {

namespace {

std::unique_ptr<RowSource> open_rows_like(const RowSource& training, const Config& config) {
    std::unique_ptr<RowSource> rows = open_validation_rows(config);
    if (rows->row_shape() != training.row_shape()) {
        throw_input_error("data.validation has samples of shape {} ({}), but data.train has shape {} ({})",
                          format_shape(rows->row_shape()), rows->description(),
                          format_shape(training.row_shape()), training.description());
    }
    if (rows->element_type() != training.element_type()) {
        throw_input_error("data.validation holds {} numbers ({}), but data.train {} ({})",
                          element_name(rows->element_type()), rows->description(),
                          element_name(training.element_type()), training.description());
    }
    const std::vector<RowField> fields = rows->fields();
    const std::vector<RowField> trained = training.fields();
    for (std::size_t i = 1; i < fields.size(); ++i) {
        if (fields[i].shape == trained[i].shape && fields[i].type == trained[i].type) continue;
        throw_input_error("the condition {} is {} {} in data.validation, but {} {} in data.train",
                          fields[i].name, format_shape(fields[i].shape), element_name(fields[i].type),
                          format_shape(trained[i].shape), element_name(trained[i].type));
    }
    if (rows->rows() < config.train.virtual_ranks.value()) {
        throw_input_error(
            "data.validation has {} ({}), fewer than the {} virtual ranks (train.virtual_ranks); "
            "each needs at least one",
            counted(rows->rows(), "sample"), rows->description(), *config.train.virtual_ranks);
    }
    return rows;
}

}  // namespace

// A replica has room for no more samples than a training batch has.
Validation::Validation(const Config& config, const TrainingData& training, Communicator& communicator)
    : config_(config),
      communicator_(communicator),
      batch_size_(std::min(config.train.batch_size, training.plan().samples())) {
    std::unique_ptr<RowSource> rows;
    run_together(communicator, [&] { rows = open_rows_like(training.source(), config); });
    require_same_on_all_ranks(*rows, "data.validation", communicator);
    run_together(communicator, [&] { start(std::move(rows), training); });
}

void Validation::start(std::unique_ptr<RowSource> data, const TrainingData& training) {
    plan_ = std::make_unique<EpochPlan>(data->blocks(),
                                        EpochPlanOptions{.seed = config_.train.seed,
                                                         .virtual_ranks = training.plan().virtual_ranks(),
                                                         .shuffle_window = config_.data.shuffle_window,
                                                         .shuffle = false});
    BatchLoaderOptions options = {
        .mine = training.mine(),
        .batch_size = batch_size_,
        .rows_a_pass = rows_a_pass(training.slice_rows(), config_.objective.importance_samples),
        .scale = input_scale(config_.data, data->element_type()),
        .allowed = allowed_values(config_.data.transform, support_of(config_.model.likelihood.kind))};
    options.cache =
        choose_cache(config_.data.cache, *plan_, *data, options, training.ranks_on_this_machine());
    bytes_ = loader_bytes(*plan_, *data, options);
    loader_ = std::make_unique<BatchLoader>(std::move(data), *plan_, options, 0, 0);
}

std::optional<TermValues> Validation::run(Replica& replica, const std::function<bool()>& is_to_stop) {
    const std::int64_t virtual_ranks = plan_->virtual_ranks();
    const std::int64_t slice_rows = (batch_size_ + virtual_ranks - 1) / virtual_ranks;
    const std::int64_t batches = steps_per_epoch(plan_->samples(), batch_size_);
    TermValues mean = replica.vae.terms(config_.objective.importance_samples);
    StepTail tail(mean.values().size(),
                  batches * virtual_ranks * passes_of(slice_rows, config_.objective.importance_samples));
    // Between two agreements the ranks work alone: it is what a stop waits for at most.
    constexpr std::int64_t kBatchesATurn = 16;
    for (std::int64_t done = 0; done < batches; done += kBatchesATurn) {
        communicator_.set_activity("validating");
        run_together(communicator_,
                     [&] { add_samples(replica, std::min(kBatchesATurn, batches - done), tail); });
        std::int64_t stop = is_to_stop && is_to_stop() ? 1 : 0;
        communicator_.all_reduce_max(std::span(&stop, 1));
        if (stop == 1) return std::nullopt;
    }
    communicator_.all_reduce_sum(tail.words());
    tail.read_terms(mean.values());
    if (!tail.finite()) std::ranges::fill(mean.values(), std::numeric_limits<double>::quiet_NaN());
    return mean;
}

void Validation::add_samples(Replica& replica, std::int64_t batches, StepTail& tail) {
    const double share = 1.0 / static_cast<double>(plan_->samples());
    const CounterRandom noise(config_.train.seed, Purpose::validation_noise);
    for (std::int64_t i = 0; i < batches; ++i) {
        for (const Slice& pass : loader_->next().passes)
            tail.add(replica.evaluate(pass, noise, config_.objective.importance_samples).values(), share);
    }
}

}  // namespace vae_dist
