#include "vae_dist/train/run/training_data.hpp"

#include <algorithm>
#include <span>

#include "vae_dist/comm/agreement.hpp"
#include "vae_dist/comm/topology.hpp"
#include "vae_dist/core/checksum.hpp"
#include "vae_dist/core/error.hpp"
#include "vae_dist/core/text.hpp"
#include "vae_dist/data/loader/input_pipeline.hpp"
#include "vae_dist/train/run/consistency.hpp"
#include "vae_dist/train/step/replica.hpp"

namespace vae_dist {

std::int64_t resolve_virtual_ranks(const TrainConfig& config, std::int64_t saved, int ranks) {
    const std::int64_t automatic = saved > 0 ? saved : ranks;
    const std::int64_t virtual_ranks = config.virtual_ranks.value_or(automatic);
    if (ranks > virtual_ranks) {
        throw_input_error(
            "{} ranks were started, but the run is defined for {} (train.virtual_ranks{}); "
            "start at most {}",
            ranks, counted(virtual_ranks, "virtual rank"), saved > 0 ? ", kept in its checkpoint" : "",
            virtual_ranks);
    }
    if (config.batch_size < virtual_ranks) {
        throw_input_error(
            "train.batch_size {} is smaller than the number of virtual ranks {} (train.virtual_ranks)",
            config.batch_size, virtual_ranks);
    }
    return virtual_ranks;
}

std::int64_t data_fingerprint(const RowSource& data) {
    std::string sample;
    for (const RowField& field : data.fields()) {
        if (!sample.empty()) sample += " " + field.name + " ";
        sample += fmt::format("{} {}", fmt::join(field.shape, "x"), element_name(field.type));
    }
    std::uint32_t sum = crc32_of(std::as_bytes(std::span(sample)));
    for (const RowRange& block : data.blocks()) {
        sum = crc32_of(std::as_bytes(std::span(&block.rows, 1)), sum);
    }
    return sum;
}

TrainingData::TrainingData(const Config& config, Communicator& communicator)
    : config_(config), ranks_on_this_machine_(vae_dist::ranks_on_this_machine(communicator)) {
    const std::int64_t virtual_ranks = config.train.virtual_ranks.value();
    run_together(communicator, [&] {
        source_ = open_training_rows(config);
        plan_ = std::make_unique<EpochPlan>(source_->blocks(),
                                            EpochPlanOptions{.seed = config.train.seed,
                                                             .virtual_ranks = virtual_ranks,
                                                             .shuffle_window = config.data.shuffle_window,
                                                             .shuffle = config.data.shuffle});
        options_ = {
            .mine = virtual_ranks_of(communicator.rank(), communicator.size(), virtual_ranks),
            .batch_size = config.train.batch_size,
            .rows_a_pass = rows_a_pass(slice_rows(), config.objective.importance_samples),
            .scale = input_scale(config.data, source_->element_type()),
            .allowed = allowed_values(config.data.transform, support_of(config.model.likelihood.kind))};
        constexpr std::int64_t kMostSteps = std::int64_t{1} << 53;
        if (config.train.epochs && *config.train.epochs > kMostSteps / steps_per_epoch()) {
            throw_input_error("train.epochs {} of {} each are more than {}", *config.train.epochs,
                              counted(steps_per_epoch(), "step"), counted(kMostSteps, "step"));
        }
        options_.cache = choose_cache(config.data.cache, *plan_, *source_, options_, ranks_on_this_machine_);
    });
    require_same_on_all_ranks(*source_, "the training data", communicator);
}

std::int64_t TrainingData::steps_per_epoch() const {
    return vae_dist::steps_per_epoch(plan_->samples(), config_.train.batch_size);
}

std::int64_t TrainingData::total_steps() const {
    return config_.train.steps ? *config_.train.steps : config_.train.epochs.value_or(10) * steps_per_epoch();
}

std::int64_t TrainingData::total_epochs() const {
    return (total_steps() + steps_per_epoch() - 1) / steps_per_epoch();
}

std::int64_t TrainingData::slice_rows() const {
    return dealt_to(std::min(config_.train.batch_size, plan_->samples()), 0, plan_->virtual_ranks());
}

std::int64_t TrainingData::loader_bytes() const {
    return vae_dist::loader_bytes(*plan_, *source_, options_);
}

std::unique_ptr<BatchLoader> TrainingData::start_loader(std::int64_t epoch, std::int64_t first_sample) const {
    return std::make_unique<BatchLoader>(open_training_rows(config_), *plan_, options_, epoch, first_sample);
}

}  // namespace vae_dist
