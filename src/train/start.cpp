#include "vae_dist/train/start.hpp"

#include "vae_dist/comm/agreement.hpp"
#include "vae_dist/core/error.hpp"
#include "vae_dist/core/text.hpp"
#include "vae_dist/train/resume.hpp"

namespace vae_dist {

namespace {

// Rank 0 looks at the data, so that they are read once; the others get its bits.
FeatureStatistics shared_statistics(const Config& config, const TrainingData& data, Backend& backend,
                                    Communicator& communicator) {
    RowSource& source = data.source();
    const auto features = static_cast<std::size_t>(source.features());
    FeatureStatistics statistics;
    run_on_first_rank(communicator, [&] {
        const InputTransform transform = {
            .scale = static_cast<float>(input_scale(config.data, source.element_type())),
            .kind = config.data.transform};
        statistics = feature_statistics(source, backend, transform);
    });
    statistics.mean.resize(features);
    statistics.deviation.resize(features);
    communicator.broadcast(std::as_writable_bytes(std::span(statistics.mean)), 0);
    communicator.broadcast(std::as_writable_bytes(std::span(statistics.deviation)), 0);
    communicator.broadcast(std::as_writable_bytes(std::span(&statistics.rows, 1)), 0);
    return statistics;
}

void initialise(Replica& replica, const Config& config, const std::optional<FeatureStatistics>& statistics) {
    replica.vae.initialise(config.train.seed);
    if (config.model.likelihood == LikelihoodKind::bernoulli) {
        replica.vae.set_output_bias_from_mean(statistics.value().mean);
    }
}

}  // namespace

StartedReplica start_replica(const Config& config, const TrainingData& data,
                             const std::optional<Checkpoint>& resumed, Communicator& communicator) {
    StartedReplica started;
    run_together(communicator, [&] {
        started.backend = make_backend(config.compute);
        if (resumed) require_same_data(data.source(), *resumed);
    });
    const bool standardize = config.data.transform == Transform::standardize;
    const bool bernoulli = config.model.likelihood == LikelihoodKind::bernoulli;
    std::optional<FeatureStatistics> statistics;
    if (resumed) {
        statistics = resumed->statistics;
    } else if (standardize || bernoulli) {
        statistics = shared_statistics(config, data, *started.backend, communicator);
    }
    run_together(communicator, [&] {
        if (standardize) started.statistics = statistics;
        started.replica = std::make_unique<Replica>(config, data.source(), started.statistics,
                                                    data.slice_rows(), *started.backend);
        if (resumed) {
            restore_replica(*resumed, *started.replica);
        } else {
            initialise(*started.replica, config, statistics);
        }
    });
    return started;
}

std::unique_ptr<RowSource> open_validation_rows(const Config& config, const RowSource& training) {
    std::unique_ptr<RowSource> rows = open_hdf5_rows(config.data.validation.value());
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
    return rows;
}

Checkpoint snapshot(const Config& config, const TrainingData& data, const StartedReplica& started,
                    const Progress& progress) {
    Checkpoint checkpoint;
    checkpoint.progress = progress;
    checkpoint.config = config;
    checkpoint.created_by = program_signature();
    checkpoint.data_rows = data.source().rows();
    checkpoint.row_shape = data.source().row_shape();
    checkpoint.statistics = started.statistics;
    capture_replica(*started.replica, checkpoint);
    return checkpoint;
}

}  // namespace vae_dist
