#include <algorithm>
#include <utility>
#include <vector>

#include "app/commands.hpp"
#include "app/fresh_run.hpp"
#include "vae_dist/comm/agreement.hpp"
#include "vae_dist/config/names.hpp"
#include "vae_dist/core/text.hpp"
#include "vae_dist/data/rows/row_sample.hpp"
#include "vae_dist/train/run/first_pass.hpp"
#include "vae_dist/train/run/validation.hpp"
#include "vae_dist/train/step/training_step.hpp"

namespace vae_dist {

namespace {

// Of data in files, what was read and found to be right; on rank 0 only.
struct Samples {
    std::optional<RowSample> training;
    std::optional<RowSample> validation;
};

Samples look_at_data(const Config& config, const TrainingData& data, Communicator& communicator) {
    Samples samples;
    run_on_first_rank(communicator, [&] {
        const ValueRange allowed =
            allowed_values(config.data.transform, support_of(config.model.likelihood.kind));
        const auto look = [&](RowSource& source) {
            return look_at_rows(source, input_scale(config.data, source.element_type()), allowed);
        };
        if (config.data.train) samples.training = look(data.source());
        if (config.data.validation) samples.validation = look(*open_validation_rows(config));
    });
    return samples;
}

// Of the training data also what the model as it starts makes of them.
void warn_of_large_values(const Config& config, const TrainingData& data, const Samples& samples,
                          Replica& replica, Communicator& communicator, const Log& log) {
    if (support_of(config.model.likelihood.kind).is_bounded()) return;
    run_on_first_rank(communicator, [&] {
        const auto warn = [&](const char* key, const RowSource& source, const RowSample& sample,
                              const std::optional<FirstPass>& pass) {
            const std::string doubt = doubt_about_size(config, key, source, sample.large, pass);
            if (!doubt.empty()) log.warn("{}", doubt);
        };
        if (samples.training) {
            warn("data.train", data.source(), *samples.training,
                 first_pass(config, open_training_rows(config), replica));
        }
        if (samples.validation) {
            warn("data.validation", *open_validation_rows(config), *samples.validation, std::nullopt);
        }
    });
}

void print_samples(const Samples& samples, const Log& log) {
    if (samples.training) log.info("looked at   {}", samples.training->text());
    if (samples.validation) log.info("            {} of the validation data", samples.validation->text());
}

using Bytes = std::vector<std::pair<const char*, std::int64_t>>;

std::string samples_from_to(std::int64_t least, std::int64_t most) {
    return (least == most ? "" : format_count(least) + " to ") + counted(most, "sample");
}

void print_data(const Config& config, const TrainingData& data, const Log& log) {
    const EpochPlan& plan = data.plan();
    const std::int64_t shards = plan.virtual_ranks();
    log.info("data        {}", data.source().description());
    log.info("samples     {} of shape {}, {}; read in {}", format_count(plan.samples()),
             format_shape(data.source().row_shape()), element_name(data.source().element_type()),
             counted(data.source().blocks().size(), "block"));
    log.info("shards      {} with {}{}; cache: {}", counted(shards, "virtual rank"),
             samples_from_to(plan.shard_samples(shards - 1), plan.shard_samples(0)),
             shards == 1 ? "" : " each", name_of(data.cache()));
    const std::int64_t last = plan.samples() - (data.steps_per_epoch() - 1) * config.train.batch_size;
    log.info("steps       {} an epoch of batches of {}, the last of {}; {} in all",
             format_count(data.steps_per_epoch()), format_count(config.train.batch_size), format_count(last),
             format_count(data.total_steps()));
}

void print_ranks(const TrainingData& data, int ranks, const Log& log) {
    for (int rank = 0; rank < ranks; ++rank) {
        constexpr int kMostShown = 16;
        if (rank == kMostShown) {
            log.info("            ... and {}", counted(ranks - kMostShown, "more rank"));
            break;
        }
        const VirtualRankRange range = virtual_ranks_of(rank, ranks, data.plan().virtual_ranks());
        std::int64_t samples = 0;
        for (std::int64_t v = range.first; v < range.first + range.count; ++v)
            samples += data.plan().shard_samples(v);
        log.info("{}rank {}: {}, {}", rank == 0 ? "ranks       " : "            ", rank,
                 format_range("virtual rank", range.first, range.first + range.count - 1),
                 counted(samples, "sample"));
    }
}

void print_places(const std::vector<std::string>& places, const Log& log) {
    constexpr std::size_t kMostShown = 16;
    for (std::size_t i = 0; i < std::min(places.size(), kMostShown); ++i)
        log.info("{}{}", i == 0 ? "computes on " : "            ", places[i]);
    if (places.size() > kMostShown)
        log.info("            ... and {}", counted(places.size() - kMostShown, "more rank"));
}

Bytes memory_of(const Config& config, const TrainingData& data, const StartedReplica& started,
                const TrainingStep& step, std::int64_t validation_bytes) {
    const std::int64_t draws = config.objective.importance_samples;
    const Vae& vae = started.replica->vae;
    const std::int64_t array = vae.layout().size() * static_cast<std::int64_t>(sizeof(float));
    const auto states = static_cast<std::int64_t>(started.replica->optimizer.states().size());
    const std::int64_t rows = rows_a_pass(data.slice_rows(), draws);
    // The parameters and each state, as arrays and as the file, chunks of which may be a little larger.
    const std::int64_t saving = 2 * (1 + states) * array;
    // The parameters once more where products take them in bfloat16.
    const std::int64_t rounded = config.train.precision == Precision::bfloat16 ? array / 2 : 0;
    return {{"parameters and gradients", 2 * array + rounded},
            {"optimizer", states * array},
            {"gradient sum", step.bytes()},
            {"activations", vae.workspace_bytes(rows, draws) + InputPipeline::bytes(data.source(), rows)},
            {"training data", data.loader_bytes()},
            {"validation data", validation_bytes},
            {"saving (rank 0)", saving}};
}

void print_memory(const Bytes& parts, bool on_device, const Log& log) {
    std::int64_t sum = 0;
    for (const auto& [what, bytes] : parts)
        sum += bytes;
    log.info("memory      {} a rank, at the most, and some 70 MiB for the program itself{}:",
             format_bytes(static_cast<std::uint64_t>(sum)),
             on_device ? "; the first four on its GPU, and there some 500 MiB for CUDA's libraries" : "");
    for (const auto& [what, bytes] : parts) {
        log.info("            {:<26}{:>12}", what, format_bytes(static_cast<std::uint64_t>(bytes)));
    }
}

std::size_t widest(const std::vector<Plan::Line>& lines, std::string Plan::Line::*column, std::size_t least) {
    for (const Plan::Line& line : lines)
        least = std::max(least, (line.*column).size());
    return least;
}

// Every operation of a pass of training, in their order. B is the number of samples of a pass, K that of
// draws.
void print_plan(const Plan& plan, std::int64_t rows, std::int64_t draws, const Log& log) {
    const std::vector<Plan::Line> lines = plan.table();
    const std::size_t operation = widest(lines, &Plan::Line::operation, 9);
    const std::size_t reads = widest(lines, &Plan::Line::reads, 5);
    const std::size_t writes = widest(lines, &Plan::Line::writes, 6);
    log.info("plan        {} of training, B = {}, K = {}; places are bytes of {}",
             counted(lines.size(), "operation"), rows, draws,
             format_bytes(plan.bytes({.samples = rows, .draws = rows * draws})));
    log.info("{:>4}  {:<{}}  {:<{}}  {:<{}}  {:>12}  {}", "", "operation", operation, "reads", reads,
             "writes", writes, "bytes", "place");
    for (std::size_t i = 0; i < lines.size(); ++i) {
        if (i == plan.forward_end()) log.info("      -- backward");
        const Plan::Line& line = lines[i];
        log.info("{:>4}  {:<{}}  {:<{}}  {:<{}}  {:>12}  {}", i, line.operation, operation, line.reads, reads,
                 line.writes, writes, format_count(line.bytes), line.places);
    }
}

}  // namespace

void run_command(const CheckCommand& command, Communicator& communicator, const Log& log) {
    const FreshRun run(command.config, command.overrides, communicator, log);
    const Config& config = run.config;
    const TrainingData& data = run.data;
    const StartedReplica& started = run.started;
    const auto step = make_training_step(config, data.total_steps(), *started.replica, communicator);
    std::optional<Validation> validation;
    if (config.data.validation) validation.emplace(config, data, communicator);
    const std::vector<std::string> places = describe_choices(started.compute, communicator);
    const Samples looked_at = look_at_data(config, data, communicator);
    log.info("{} is valid", command.config);
    print_data(config, data, log);
    if (validation) log.info("validation  {}", counted(validation->samples(), "sample"));
    print_samples(looked_at, log);
    warn_of_large_values(config, data, looked_at, *started.replica, communicator, log);
    print_ranks(data, communicator.size(), log);
    if (started.compute.backend == BackendKind::cuda) print_places(places, log);
    log.info("model       {}", counted(started.replica->vae.layout().parameter_count(), "parameter"));
    log.info("compute     {}; products in {}; threads of a rank: {}", started.backend->description(),
             name_of(config.train.precision), started.backend->threads());
    if (config.train.precision == Precision::bfloat16 && !started.backend->has_fast_bfloat16()) {
        log.warn(
            "train.precision is bfloat16, but this processor, or the library for products, has no "
            "instructions "
            "for it: training will be slower than with float32");
    }
    log.info("gradients   {}; summed {}", name_of(config.train.reduction), step->description());
    print_memory(memory_of(config, data, started, *step, validation ? validation->bytes() : 0),
                 started.compute.backend == BackendKind::cuda, log);
    if (command.plan) {
        const std::int64_t draws = config.objective.importance_samples;
        print_plan(started.replica->vae.training_plan(draws), rows_a_pass(data.slice_rows(), draws), draws,
                   log);
    }
}

}  // namespace vae_dist
