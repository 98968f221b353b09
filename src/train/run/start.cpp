#include "vae_dist/train/run/start.hpp"

#include <fmt/format.h>

#include <utility>

#include "vae_dist/comm/agreement.hpp"
#include "vae_dist/core/error.hpp"
#include "vae_dist/core/program.hpp"
#include "vae_dist/core/text.hpp"
#include "vae_dist/data/rows/matching_files.hpp"
#include "vae_dist/train/run/resume.hpp"

namespace vae_dist {

namespace {

// What `look` finds on rank 0, on every rank.
template <class Look>
FeatureStatistics on_all_ranks(const RowSource& source, Communicator& communicator, const Look& look) {
    FeatureStatistics statistics;
    run_on_first_rank(communicator, [&] { statistics = look(); });
    const auto features = static_cast<std::size_t>(source.features());
    statistics.mean.resize(features);
    statistics.deviation.resize(features);
    communicator.broadcast(std::as_writable_bytes(std::span(statistics.mean)), 0);
    communicator.broadcast(std::as_writable_bytes(std::span(statistics.deviation)), 0);
    communicator.broadcast(std::as_writable_bytes(std::span(&statistics.rows, 1)), 0);
    communicator.broadcast(std::as_writable_bytes(std::span(&statistics.largest, 1)), 0);
    return statistics;
}

// Rank 0 looks at the data, so that they are read once; the others get its bits.
FeatureStatistics shared_statistics(const Config& config, const TrainingData& data,
                                    Communicator& communicator, const Log& log) {
    RowSource& source = data.source().source_of(0);
    const double scale = input_scale(config.data, source.element_type());
    return on_all_ranks(source, communicator, [&] {
        FeatureStatistics statistics = feature_statistics(source, scale, config.data.transform);
        const std::string doubt = doubt_about_scale(config.data, source.element_type(), statistics);
        if (!doubt.empty()) log.warn("{}", doubt);
        return statistics;
    });
}

std::vector<FeatureStatistics> shared_statistics_of_conditions(const TrainingData& data,
                                                               Communicator& communicator) {
    std::vector<FeatureStatistics> all;
    for (std::size_t i = 1; i < data.source().fields().size(); ++i) {
        RowSource& source = data.source().source_of(i);
        all.push_back(on_all_ranks(source, communicator,
                                   [&] { return feature_statistics(source, 1, Transform::standardize); }));
    }
    return all;
}

void initialise(Replica& replica, const Config& config, const std::optional<FeatureStatistics>& statistics) {
    replica.vae.initialise(config.train.seed);
    if (replica.vae.likelihood().starts_from_mean()) replica.vae.start_from(statistics.value().mean);
}

void warn_of_files_named_twice(const DataConfig& data, const Log& log) {
    for (const auto& [key, dataset] :
         {std::pair("data.train.files", &data.train), std::pair("data.validation.files", &data.validation)}) {
        if (!*dataset) continue;
        for (const std::string& sentence : files_named_twice(matching_files((*dataset)->files)))
            log.warn("{}: {}", key, sentence);
    }
}

// mpirun binds a rank to one core unless told otherwise.
void warn_where_threads_share_cores(const ComputeConfig& compute, const Log& log) {
    const int cores = usable_cores();
    if (compute.threads <= cores) return;
    log.warn(
        "compute.threads is {}, but this rank may run on {} only; mpirun --map-by slot:PE={}, or Slurm's "
        "--cpus-per-task={}, gives it as many",
        compute.threads, counted(cores, "core"), compute.threads, compute.threads);
}

void warn_of_large_batch(const Config& config, const TrainingData& data, const Log& log) {
    const std::int64_t samples = data.plan().samples();
    if (config.train.batch_size <= samples) return;
    log.warn(
        "train.batch_size is {}, but the data have only {}: every step takes all there is, and is an epoch",
        format_count(config.train.batch_size), counted(samples, "sample"));
}

}  // namespace

void warn_where_ranks_differ(const Backend& backend, Communicator& communicator, const Log& log) {
    const std::string mine = program_signature(backend);
    const std::string first = broadcast_text(communicator, mine, 0);
    if (mine == first) return;
    log.warn(
        "this rank computes by '{}', rank 0 by '{}': the last bits of the results may depend on the "
        "number of ranks",
        mine, first);
}

StartedReplica start_replica(const Config& config, const TrainingData& data,
                             const std::optional<Checkpoint>& resumed, Communicator& communicator,
                             const Log& log) {
    StartedReplica started;
    started.compute = choose_compute(config.compute, communicator, log);
    run_together(communicator, [&] { started.backend = make_backend(started.compute, config.compute); });
    run_on_first_rank(communicator, [&] {
        started.data_identity = identity_of(config, data.source());
        if (resumed) require_same_data(config, data.source(), started.data_identity, *resumed, log);
    });
    run_on_first_rank(communicator, [&] {
        warn_of_files_named_twice(config.data, log);
        for (const std::string& doubt : data.source().doubts())
            log.warn("data.train: {}", doubt);
    });
    warn_where_ranks_differ(*started.backend, communicator, log);
    if (communicator.rank() == 0 && started.compute.backend == BackendKind::cpu)
        warn_where_threads_share_cores(config.compute, log);
    if (communicator.rank() == 0) warn_of_large_batch(config, data, log);
    const std::string mine = program_signature(*started.backend);
    if (resumed && communicator.rank() == 0 && resumed->created_by != mine) {
        log.warn(
            "the checkpoint was written by '{}', and this is '{}': the last bits of the results may differ "
            "from an uninterrupted run's",
            resumed->created_by, mine);
    }
    const bool standardize = config.data.transform == Transform::standardize;
    const bool starts_from_mean = make_likelihood(config.model.likelihood)->starts_from_mean();
    std::optional<FeatureStatistics> statistics;
    started.statistics.conditions =
        resumed ? resumed->condition_statistics : shared_statistics_of_conditions(data, communicator);
    if (resumed) {
        statistics = resumed->statistics;
    } else if (standardize || starts_from_mean) {
        statistics = shared_statistics(config, data, communicator, log);
    }
    run_together(communicator, [&] {
        if (standardize) started.statistics.samples = statistics;
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

void take_snapshot(const Config& config, const TrainingData& data, const StartedReplica& started,
                   const Progress& progress, Checkpoint& snapshot) {
    snapshot.progress = progress;
    capture_replica(*started.replica, snapshot);
    if (!snapshot.created_by.empty()) return;  // the rest stays as it is while a run lasts
    snapshot.config = config;
    snapshot.created_by = program_signature(*started.backend);
    snapshot.data_rows = data.source().rows();
    snapshot.data_fingerprint = data_fingerprint(data.source());
    snapshot.data_identity = started.data_identity;
    snapshot.row_shape = data.source().row_shape();
    snapshot.data_type = element_name(data.source().element_type());
    snapshot.statistics = started.statistics.samples;
    snapshot.condition_statistics = started.statistics.conditions;
}

}  // namespace vae_dist
