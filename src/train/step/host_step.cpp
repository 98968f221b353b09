#include "train/step/host_step.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cmath>
#include <functional>
#include <utility>

#include "train/step/gradient_reducer.hpp"
#include "train/step/parameter_gather.hpp"
#include "train/step/passes.hpp"
#include "train/step/shared_parameters.hpp"
#include "train/step/team.hpp"
#include "vae_dist/core/error.hpp"
#include "vae_dist/core/text.hpp"

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

HostStep::HostStep(const Config& config, std::int64_t total_steps, Replica& replica,
                   Communicator& communicator)
    : HostStep(config, total_steps, replica, communicator, make_team(config.compute, communicator)) {}

HostStep::HostStep(const Config& config, std::int64_t total_steps, Replica& replica,
                   Communicator& communicator, std::unique_ptr<Team> team)
    : TrainingStep(config, total_steps, replica, communicator),
      plan_(plan_shards(replica.vae.layout().size(), *team)),
      squares_(static_cast<std::size_t>(plan_.chunks() + 1)),
      parameters_(std::make_unique<SharedParameters>(*team, replica.backend, store())),
      reducer_(make_gradient_reducer(reducer_options(config, replica, communicator), plan_, *parameters_,
                                     replica.backend, *team)),
      gather_(std::make_unique<ParameterGather>(plan_, replica.vae.layout(), *parameters_, replica.backend,
                                                *team)),
      team_(std::move(team)) {}

HostStep::~HostStep() = default;

std::int64_t HostStep::bytes() const {
    return reducer_->bytes() + gather_->bytes();
}

// Receives of other hosts' sums are posted before this rank makes its own.
void HostStep::repeatable(UnderWay&, const std::function<void()>& body) {
    reducer_->begin();
    communicator_.set_activity("forward and backward pass");
    body();
}

void HostStep::forward(const VaeInput& input, UnderWay& now) {
    now.tail.add(replica_.vae.forward(input, now.weights).values(), now.weights.sample_weight);
}

void HostStep::add(ElementRange range, PassPlace place) {
    reducer_->add(range.begin, range.end, place.last);
}

// Each chunk's gradient is added up and used while it lies in the cache, by `update`; unless what is done
// with it depends on all the others, of all ranks: then chunks are updated in a second round.
bool HostStep::needs_norm_first() const {
    return config_.optimizer.clip_norm > 0 || config_.train.on_nonfinite == NonFinitePolicy::skip;
}

void HostStep::sum(UnderWay& now) {
    complete_tail(now);
    watch_ = {};
    communicator_.set_activity("adding up gradients");
    reducer_->reduce_tail(now.tail);
    lap(&StepTimes::wait);
    if (now.tail.failed() || !now.tail.finite() || !needs_norm_first()) return;
    bool fits = true;
    for (std::int64_t bucket = 0; bucket < plan_.buckets(); ++bucket)
        fits = add_up(bucket, false) && fits;
    now.result.gradient_norm = agree_on_norm(fits);
    lap_sums();
}

// Every rank has sent what it had to: its memory may go where the step ends here.
void HostStep::await_sum(UnderWay& now) {
    const bool ends = now.tail.failed() || !now.tail.finite() || !std::isfinite(now.result.gradient_norm);
    if (ends) team_->complete_messages();
}

void HostStep::update(UnderWay& now) {
    communicator_.set_activity("updating the weights");
    StepResult& result = now.result;
    gather_->begin();
    if (needs_norm_first()) {
        const double clip_norm = config_.optimizer.clip_norm;
        const bool clip = clip_norm > 0 && result.gradient_norm > clip_norm;
        update_own_parts(clip ? clip_norm / result.gradient_norm : 1);
        for (std::int64_t bucket = 0; bucket < plan_.buckets(); ++bucket)
            gather_->send(bucket);
    } else {
        bool fits = true;
        for (std::int64_t bucket = 0; bucket < plan_.buckets(); ++bucket) {
            fits = add_up(bucket, true) && fits;
            gather_->send(bucket);
        }
        result.gradient_norm = agree_on_norm(fits);
        result.applied = std::isfinite(result.gradient_norm);
    }
    gather_->finish();
    team_->complete_messages();
    lap_sums();
}

// What the optimizer took was in between.
void HostStep::lap_sums() {
    lap(&StepTimes::reduce);
    spent_.reduce -= optimizer_seconds_;
    spent_.optimizer += std::exchange(optimizer_seconds_, 0);
}

// The sums, and where asked the update, of this rank's part of a bucket. False where a gradient did not fit.
bool HostStep::add_up(std::int64_t bucket, bool and_update) {
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
        if (and_update) update_chunk(chunk, gradient);
        double seconds = 0;
        watch.lap(seconds);
        optimizer_seconds += seconds;
    };
    const std::int64_t chunks = (part.size() + kChunk - 1) / kChunk;
    replica_.backend.for_each(chunks, std::ref(add_up_chunk));
    const std::int64_t threads = std::clamp<std::int64_t>(chunks, 1, replica_.backend.threads());
    optimizer_seconds_ += optimizer_seconds / static_cast<double>(threads);
    return all_fit;
}

void HostStep::update_own_parts(double factor) {
    Stopwatch watch;
    const auto scale = static_cast<float>(factor);
    for (std::int64_t bucket = 0; bucket < plan_.buckets(); ++bucket) {
        const ElementRange part = own_part(bucket);
        const auto scale_and_update = [&](std::int64_t i) {
            const ElementRange chunk = plan_.chunk(part.begin / kChunk + i);
            const std::span<float> gradient = elements(store().gradients, chunk);
            if (factor != 1) replica_.backend.scale(gradient, scale);
            update_chunk(chunk, gradient);
        };
        replica_.backend.for_each((part.size() + kChunk - 1) / kChunk, std::ref(scale_and_update));
    }
    watch.lap(optimizer_seconds_);
}

void HostStep::update_chunk(ElementRange chunk, std::span<const float> gradient) {
    replica_.optimizer.apply(chunk.begin, gradient, elements(store().values, chunk));
    store().refresh_operands(replica_.backend, chunk.begin, chunk.end);
}

// The norm of the whole gradient, from the chunks' sums of squares in the order of the chunks. It is not
// finite where a gradient did not fit. Of each chunk one rank has the bits, and the others 0.
double HostStep::agree_on_norm(bool fits) {
    squares_.back() = fits ? 0 : 1;
    team_->sum(squares_);
    double sum = 0;
    for (std::size_t i = 0; i + 1 < squares_.size(); ++i)
        sum += std::bit_cast<double>(squares_[i]);
    const bool all_fit = squares_.back() == 0;
    std::ranges::fill(squares_, 0);
    return all_fit ? std::sqrt(sum) : std::numeric_limits<double>::infinity();
}

void HostStep::collect_state() {
    if (team_->size() == 1) return;
    team_->synchronize_neighbours();  // some may still copy parameters
    if (!store().operands.empty()) collect_on_first_rank(plan_, store().values, *team_);
    for (const Optimizer::State& state : replica_.optimizer.states())
        collect_on_first_rank(plan_, state.buffer.span<float>(), *team_);
}

std::string HostStep::description() const {
    const Hosts& hosts = team_->hosts();
    if (team_->size() == 1) return "on one rank";
    if (team_->one_host()) return fmt::format("among {} ranks that share memory", team_->size());
    std::string text = fmt::format("among {} ranks on {}", team_->size(), counted(hosts.count(), "host"));
    if (!hosts.why_not.empty()) text += fmt::format(" (no shared memory: {})", hosts.why_not);
    return text + fmt::format(", {} a step between two of them", counted(plan_.buckets(), "message"));
}

}  // namespace vae_dist
