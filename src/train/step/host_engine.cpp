#include "train/step/host_engine.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <chrono>
#include <cmath>
#include <exception>
#include <functional>

#include "train/step/gradient_reducer.hpp"
#include "train/step/parameter_gather.hpp"
#include "train/step/passes.hpp"
#include "train/step/shared_parameters.hpp"
#include "train/step/stopwatch.hpp"
#include "train/step/team.hpp"
#include "vae_dist/comm/agreement.hpp"
#include "vae_dist/core/error.hpp"
#include "vae_dist/core/text.hpp"
#include "vae_dist/train/schedule.hpp"

namespace vae_dist {

namespace {

ReducerOptions reducer_options(const Config& config, const Replica& replica,
                               const Communicator& communicator) {
    const VirtualRankRange mine =
        virtual_ranks_of(communicator.rank(), communicator.size(), config.train.virtual_ranks.value());
    return {.reduction = config.train.reduction,
            .addends = most_passes(config, replica),
            .slices = most_passes(config, replica, mine.count),
            .overlap = config.compute.overlap != Switch::off};
}

// On one host nothing travels: one bucket, but for arrays so large that messages of a checkpoint would not
// fit MPI's counts. Between hosts a message is worth its latency from some 100 KiB on; the more buckets, the
// earlier the first one leaves.
ShardPlan plan_shards(std::int64_t size, const Team& team) {
    constexpr std::int64_t kMostElements = std::int64_t{1} << 28;
    constexpr std::int64_t kPart = std::int64_t{1} << 15;
    constexpr std::int64_t kMostBuckets = 16;
    const std::int64_t least = 1 + size / kMostElements;
    if (team.one_host()) return {size, team.size(), least};
    return {size, team.size(), std::max(least, std::min(size / (team.size() * kPart), kMostBuckets))};
}

std::unique_ptr<Team> make_team(const ComputeConfig& compute, Communicator& communicator) {
    Hosts hosts = find_hosts(communicator, compute.shared_memory != Switch::off);
    if (compute.shared_memory == Switch::on && !hosts.why_not.empty()) {
        throw Error(ErrorKind::input,
                    fmt::format("compute.shared_memory is on, but the ranks of a host cannot "
                                "read each other's memory: {}",
                                hosts.why_not))
            .mark_on_all_ranks();
    }
    return std::make_unique<Team>(communicator, std::move(hosts));
}

constexpr std::int64_t kChunk = ShardPlan::kChunk;

}  // namespace

HostEngine::HostEngine(const Config& config, std::int64_t total_steps, Replica& replica,
                       Communicator& communicator)
    : HostEngine(config, total_steps, replica, communicator, make_team(config.compute, communicator)) {}

HostEngine::HostEngine(const Config& config, std::int64_t total_steps, Replica& replica,
                       Communicator& communicator, std::unique_ptr<Team> team)
    : config_(config),
      total_steps_(total_steps),
      replica_(replica),
      communicator_(communicator),
      plan_(plan_shards(replica.vae.layout().size(), *team)),
      squares_(static_cast<std::size_t>(plan_.chunks() + 1)),
      parameters_(std::make_unique<SharedParameters>(*team, replica.backend, store())),
      reducer_(make_gradient_reducer(reducer_options(config, replica, communicator), plan_, *parameters_,
                                     replica.backend, *team)),
      gather_(std::make_unique<ParameterGather>(plan_, replica.vae.layout(), *parameters_, replica.backend,
                                                *team)),
      team_(std::move(team)) {}

HostEngine::~HostEngine() = default;

std::int64_t HostEngine::bytes() const {
    return reducer_->bytes() + gather_->bytes();
}

void HostEngine::start(BatchLoader& loader, std::int64_t step, std::int64_t update, const AskForWishes& ask) {
    StepResult& result = result_;
    result = {};
    result.beta = kl_weight(config_.objective, step);
    result.learning_rate = learning_rate(config_.optimizer, step, total_steps_);
    times_ = {};
    StepTail tail(most_passes(config_, replica_));
    std::exception_ptr error;
    reducer_->begin();
    try {
        accumulate_slices(loader, result, tail);
        const StepWishes wishes = ask ? ask() : StepWishes{};
        if (wishes.stop) tail.ask_to_stop();
        if (wishes.save) tail.ask_to_save();
    } catch (...) {
        // The others are on their way into the sum: tell them there.
        error = std::current_exception();
        tail.report_failure();
    }
    Stopwatch watch;
    communicator_.set_activity("adding up gradients");
    reducer_->meet(tail);
    watch.lap(times_.wait);
    if (tail.failed()) {
        team_->complete_messages();  // every rank has sent its own: their memory goes with this step
        throw_together(communicator_, error);
    }
    communicator_.set_activity("updating the weights");
    result.stop = tail.is_to_stop();
    result.save = tail.is_to_save();
    result.mean = tail.terms();
    result.applied = tail.finite();
    if (result.applied) update_weights(result, update);
    team_->complete_messages();
    watch.lap(times_.reduce);
    times_.reduce -= times_.optimizer;
}

void HostEngine::accumulate_slices(BatchLoader& loader, StepResult& result, StepTail& tail) {
    Stopwatch watch;
    communicator_.set_activity("reading data");
    const Batch& batch = loader.next();
    communicator_.set_activity("forward and backward pass");
    watch.lap(times_.data);
    result.samples = batch.samples;
    const ObjectiveWeights weights = weights_of(config_, batch, result.beta);
    for (const Slice& part : batch.passes) {
        const VaeInput input = input_of(config_, batch, part, replica_.input);
        watch.lap(times_.data);
        tail.add(share_of(replica_.vae.forward(input, weights), weights.sample_weight));
        watch.lap(times_.forward);
        const bool last = &part == &batch.passes.back();
        std::int64_t added = 0;
        const auto add = [&](std::int64_t end) {
            watch.lap(times_.backward);
            reducer_->add(added, end, last);
            added = end;
            watch.lap(times_.reduce);
        };
        replica_.vae.backward(input, weights, std::ref(add));
        require(added == replica_.vae.layout().size(), "the backward pass finishes every gradient");
    }
}

// Each chunk's gradient is added up and used while it lies in the cache; unless what is done with it depends
// on all the others, of all ranks: then chunks are updated in a second round.
void HostEngine::update_weights(StepResult& result, std::int64_t update) {
    const double clip_norm = config_.optimizer.clip_norm;
    const bool ask_first = clip_norm > 0 || config_.train.on_nonfinite == NonFinitePolicy::skip;
    replica_.optimizer->begin(update + 1, result.learning_rate);
    gather_->begin();
    bool fits = true;
    for (std::int64_t bucket = 0; bucket < plan_.buckets(); ++bucket) {
        fits = add_up(bucket, !ask_first) && fits;
        if (!ask_first) gather_->send(bucket);
    }
    result.gradient_norm = agree_on_norm(fits);
    result.applied = std::isfinite(result.gradient_norm);
    if (ask_first) {
        const bool clip = clip_norm > 0 && result.gradient_norm > clip_norm;
        if (result.applied) update_own_parts(clip ? clip_norm / result.gradient_norm : 1);
        for (std::int64_t bucket = 0; bucket < plan_.buckets(); ++bucket)
            gather_->send(bucket);
    }
    gather_->finish();
}

// The sums, and where asked the update, of this rank's part of a bucket. False where a gradient did not fit.
bool HostEngine::add_up(std::int64_t bucket, bool and_update) {
    reducer_->wait_for(bucket);
    const OptimizerConfig& optimizer = config_.optimizer;
    const ElementRange part = own_part(bucket);
    const std::int64_t first = part.begin / kChunk;
    std::atomic<bool> all_fit = true;
    std::atomic<double> optimizer_seconds = 0;
    const auto add_up_chunk = [&](std::int64_t i) {
        const ElementRange chunk = plan_.chunk(first + i);
        alignas(64) std::array<float, kChunk> memory;
        const std::span<float> gradient =
            and_update ? std::span(memory).first(static_cast<std::size_t>(chunk.size()))
                       : elements(store().gradients, chunk);
        if (!reducer_->sum(bucket, chunk, gradient)) all_fit = false;
        Stopwatch watch;
        if (optimizer.l1 > 0 || optimizer.l2 > 0) {
            replica_.backend.add_penalty(elements(store().values, chunk), static_cast<float>(optimizer.l1),
                                         static_cast<float>(optimizer.l2), gradient);
        }
        const double squares = replica_.backend.sum_of_squares(gradient);
        squares_[static_cast<std::size_t>(first + i)] = std::bit_cast<std::int64_t>(squares);
        if (and_update) this->update(chunk, gradient);
        double seconds = 0;
        watch.lap(seconds);
        optimizer_seconds += seconds;
    };
    const std::int64_t chunks = (part.size() + kChunk - 1) / kChunk;
    replica_.backend.for_each(chunks, std::ref(add_up_chunk));
    const std::int64_t threads = std::clamp<std::int64_t>(chunks, 1, replica_.backend.threads());
    times_.optimizer += optimizer_seconds / static_cast<double>(threads);
    return all_fit;
}

void HostEngine::update_own_parts(double factor) {
    Stopwatch watch;
    const auto scale = static_cast<float>(factor);
    for (std::int64_t bucket = 0; bucket < plan_.buckets(); ++bucket) {
        const ElementRange part = own_part(bucket);
        const auto update_chunk = [&](std::int64_t i) {
            const ElementRange chunk = plan_.chunk(part.begin / kChunk + i);
            const std::span<float> gradient = elements(store().gradients, chunk);
            if (factor != 1) replica_.backend.scale(gradient, scale);
            update(chunk, gradient);
        };
        replica_.backend.for_each((part.size() + kChunk - 1) / kChunk, std::ref(update_chunk));
    }
    watch.lap(times_.optimizer);
}

void HostEngine::update(ElementRange chunk, std::span<const float> gradient) {
    replica_.optimizer->apply(chunk.begin, gradient, elements(store().values, chunk));
    store().refresh_operands(replica_.backend, chunk.begin, chunk.end);
}

// The norm of the whole gradient, from the chunks' sums of squares in their order, whoever owns them; not
// finite where a gradient did not fit. Of each chunk one rank has the bits, and the others 0.
double HostEngine::agree_on_norm(bool fits) {
    squares_.back() = fits ? 0 : 1;
    team_->sum(squares_);
    double sum = 0;
    for (std::size_t i = 0; i + 1 < squares_.size(); ++i)
        sum += std::bit_cast<double>(squares_[i]);
    const bool all_fit = squares_.back() == 0;
    std::ranges::fill(squares_, 0);
    return all_fit ? std::sqrt(sum) : std::numeric_limits<double>::infinity();
}

void HostEngine::collect_state() {
    if (team_->size() == 1) return;
    team_->meet_neighbours();  // some may still copy parameters
    if (!store().operands.empty()) collect_on_first_rank(plan_, store().values, *team_);
    for (const Optimizer::State& state : replica_.optimizer->states())
        collect_on_first_rank(plan_, state.buffer.span<float>(), *team_);
}

std::string HostEngine::description() const {
    const Hosts& hosts = team_->hosts();
    if (team_->size() == 1) return "on one rank";
    if (team_->one_host()) return fmt::format("among {} ranks that share memory", team_->size());
    std::string text = fmt::format("among {} ranks on {}", team_->size(), counted(hosts.count(), "host"));
    if (!hosts.why_not.empty()) text += fmt::format(" (no shared memory: {})", hosts.why_not);
    return text + fmt::format(", {} a step between two of them", counted(plan_.buckets(), "message"));
}

}  // namespace vae_dist
