#include "train/step/device_step.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include "train/step/passes.hpp"
#include "vae_dist/core/error.hpp"
#include "vae_dist/core/text.hpp"

namespace vae_dist {

namespace {

// The more buckets, the earlier the first one leaves; a message is worth its latency from some 512 KiB of
// integers on.
std::int64_t buckets_of(const Config& config, std::int64_t size, const Communicator& communicator,
                        const DeviceCollectives* collectives) {
    constexpr std::int64_t kPart = std::int64_t{1} << 16;
    constexpr std::int64_t kMostBuckets = 8;
    const bool overlaps =
        collectives != nullptr && collectives->only_queues() && config.compute.overlap != Switch::off;
    return overlaps ? std::clamp<std::int64_t>(size / (communicator.size() * kPart), 1, kMostBuckets) : 1;
}

// FNV-1a's step: tells sequences of numbers apart.
std::uint64_t mixed(std::uint64_t key, std::uint64_t number) {
    return (key ^ number) * 0x100000001B3U;
}
constexpr std::uint64_t kFirstKey = 0xCBF29CE484222325U;

}  // namespace

DeviceStep::DeviceStep(const Config& config, std::int64_t total_steps, Replica& replica,
                       DeviceBackend& device, Communicator& communicator)
    : DeviceStep(config, total_steps, replica, device, communicator,
                 make_device_collectives(config.compute.communicator, communicator, device)) {}

DeviceStep::DeviceStep(const Config& config, std::int64_t total_steps, Replica& replica,
                       DeviceBackend& device, Communicator& communicator,
                       std::unique_ptr<DeviceCollectives> collectives)
    : TrainingStep(config, total_steps, replica, communicator),
      device_(device),
      clip_(device.allocate(sizeof(float))),
      answers_(device.allocate_pinned(kMostDepth * answer_words() * sizeof(std::int64_t))),
      shards_(replica.vae.layout().size(), communicator.size(),
              buckets_of(config, replica.vae.layout().size(), communicator, collectives.get())),
      collectives_(std::move(collectives)) {
    const std::size_t words = squares_at() + static_cast<std::size_t>(shards_.chunks());
    words_ = device.allocate(words * sizeof(std::int64_t));
    zeros_ = device.allocate(words * sizeof(std::int64_t));
    wishes_ = device.allocate(tail_words() * sizeof(std::int64_t));
    sums_ =
        make_device_sums(config.train.reduction, shards_, communicator.size(), most_passes(config, replica),
                         store(), device, words_.as<std::int64_t>() + StepTail::kNonFinite);
    store().adopt(device, device.allocate(static_cast<std::size_t>(shards_.padded_size()) * sizeof(float)),
                  {}, {});
    if (communicator.size() == 1) return;
    // Waiting by wait_until is what the failure detector looks at; and what the device waits for may have
    // failed.
    device.wait_by([this](const std::function<bool()>& is_so) {
        communicator_.wait_until([&] {
            if (collectives_) collectives_->check();
            return is_so();
        });
    });
}

DeviceStep::~DeviceStep() {
    device_.wait_by({});
}

std::int64_t DeviceStep::bytes() const {
    return sums_->bytes() + static_cast<std::int64_t>(words_.bytes() + zeros_.bytes());
}

std::string DeviceStep::description() const {
    if (!collectives_) return "on one rank";
    std::string text =
        fmt::format("among {} by {}", counted(communicator_.size(), "rank"), collectives_->description());
    if (shards_.buckets() > 1) text += fmt::format(", {} sums a step", shards_.buckets());
    return text;
}

// The words of this rank differ from step to step, so that they are copied before what is repeated.
void DeviceStep::repeatable(UnderWay& now, const std::function<void()>& body) {
    complete_tail(now);
    device_.copy_in(wishes_.as<std::byte>(), now.tail.words().data(), now.tail.words().size_bytes());
    lap(&StepTimes::data);
    communicator_.set_activity("starting a step");
    key_ = agree_on_key(now);
    repeat(key_, [&] {
        device_.copy(words_.as<std::byte>(), zeros_.as<std::byte>(), words_.bytes());
        device_.copy(words_.as<std::byte>(), wishes_.as<std::byte>(), wishes_.bytes());
        has_passes_ = false;
        reduced_ = 0;
        body();
    });
    start_answer(now);
    lap(&StepTimes::forward);
}

// By what this step is repeated, one number on all ranks; none where it is not. NCCL wants its calls to be
// captured by all ranks at the same time or by none, and launched as all captured them together (its user
// guide, "Using NCCL with CUDA Graphs"): so a rank repeats a step as all do, by the slices of all, and where
// one rank's device has lost memory that graphs knew, all forget theirs. Sums that wait for the host cannot
// be repeated without it.
std::optional<std::uint64_t> DeviceStep::agree_on_key(const UnderWay& now) {
    if (!repeats()) return std::nullopt;
    std::uint64_t mine = mixed(kFirstKey, static_cast<std::uint64_t>(communicator_.rank()));
    for (const Slice& part : now.passes())
        mine = mixed(mine, part.rows.size());
    std::array<std::int64_t, 3> sums = {static_cast<std::int64_t>(mine), now.error ? 1 : 0,
                                        device_.memory_losses()};
    if (collectives_) communicator_.all_reduce_sum(std::span<std::int64_t>(sums));
    if (sums[2] != memory_losses_) device_.forget_repeatable();
    memory_losses_ = sums[2];
    if (sums[1] > 0) return std::nullopt;
    return static_cast<std::uint64_t>(sums[0]);
}

void DeviceStep::repeat(std::optional<std::uint64_t> key, const std::function<void()>& body) {
    if (key) {
        device_.repeatable(*key, body);
    } else {
        body();
    }
}

void DeviceStep::forward(const VaeInput& input, UnderWay& now) {
    const std::span<const double> terms = replica_.vae.start_forward(input, now.weights);
    std::int64_t* const words = words_.as<std::int64_t>();
    device_.add_exact_terms(terms, now.weights.sample_weight, StepTail::kFractionBits,
                            most_passes(config_, replica_), words + StepTail::kTerms,
                            words + StepTail::kNonFinite);
}

void DeviceStep::add(ElementRange range, PassPlace place) {
    has_passes_ = true;
    sums_->add(range, place.first);
    if (place.last && collectives_) reduce_up_to(range.end);
}

void DeviceStep::sum(UnderWay&) {
    if (!has_passes_) {
        device_.fill(store().gradients, 0);
        sums_->add({0, shards_.size()}, true);
    }
    if (collectives_) {
        reduce_up_to(shards_.padded_size());
        device_.join_communication();
    }
    agree();
}

// Hands those buckets to the collectives that lie before `end`.
void DeviceStep::reduce_up_to(std::int64_t end) {
    while (reduced_ < shards_.buckets() && shards_.bucket(reduced_).end <= end) {
        sums_->reduce(*collectives_, shards_.bucket(reduced_), shards_.part(reduced_, communicator_.rank()));
        ++reduced_;
    }
}

// The sums of this rank's parts, with penalties, become gradients; then all ranks have the tail, and all
// chunks' squares.
void DeviceStep::agree() {
    const OptimizerConfig& optimizer = config_.optimizer;
    auto* const squares = reinterpret_cast<double*>(words_.as<std::int64_t>() + squares_at());
    for (std::int64_t bucket = 0; bucket < shards_.buckets(); ++bucket) {
        const ElementRange mine = own_part(bucket);
        if (mine.empty()) continue;
        sums_->finish(mine);
        const std::span<float> gradients = elements(store().gradients, mine);
        if (optimizer.l1 > 0 || optimizer.l2 > 0) {
            device_.add_penalty(elements(store().values, mine), static_cast<float>(optimizer.l1),
                                static_cast<float>(optimizer.l2), gradients);
        }
        device_.sums_of_squares(gradients, EvenShards::kChunk, squares + mine.begin / EvenShards::kChunk);
    }
    if (collectives_) collectives_->all_reduce_sum(words_.span<std::int64_t>());
    // Else the update goes on meanwhile.
    const bool ask_first = optimizer.clip_norm > 0 || decides_before_update();
    if (collectives_ && ask_first) device_.join_communication();
    if (!ask_first) return;
    find_norm();
    if (optimizer.clip_norm == 0) return;
    for (std::int64_t bucket = 0; bucket < shards_.buckets(); ++bucket)
        device_.scale_by(elements(store().gradients, own_part(bucket)), clip_.as<float>());
}

// The norm of the whole gradient, among the words of the answer; not finite where a gradient did not fit.
void DeviceStep::find_norm() {
    std::int64_t* const words = words_.as<std::int64_t>();
    device_.clip_factor(
        {reinterpret_cast<const double*>(words + squares_at()), static_cast<std::size_t>(shards_.chunks())},
        words + StepTail::kNonFinite, config_.optimizer.clip_norm,
        reinterpret_cast<double*>(words + norm_at()), clip_.as<float>());
}

// Where the host decides, it asks for the update after the body.
void DeviceStep::update(UnderWay&) {
    if (!decides_before_update()) return update_weights();
    repeat(key_ ? std::optional(~*key_) : std::nullopt, [&] { update_weights(); });
}

// A bucket travels to the other ranks while the next one is updated.
void DeviceStep::update_weights() {
    const std::span<float> values = store().values_buffer.span<float>();
    for (std::int64_t bucket = 0; bucket < shards_.buckets(); ++bucket) {
        const ElementRange mine = own_part(bucket);
        if (!mine.empty()) {
            replica_.optimizer.apply(mine.begin, elements(store().gradients, mine),
                                     elements(store().values, mine));
        }
        if (collectives_) collectives_->all_gather({elements(values, shards_.bucket(bucket))});
    }
    if (collectives_) device_.join_communication();
    store().refresh_operands(device_, 0, shards_.size());
    if (config_.optimizer.clip_norm == 0 && !decides_before_update()) find_norm();
}

void DeviceStep::start_answer(const UnderWay& now) {
    const std::size_t slot = slot_of(now);
    device_.start_copy_out(answers_.as<std::int64_t>() + slot * answer_words(), words_.as<std::byte>(),
                           answer_words() * sizeof(std::int64_t));
    answered_[slot] = device_.mark();
}

void DeviceStep::await_sum(UnderWay& now) {
    const std::size_t slot = slot_of(now);
    Stopwatch watch;
    communicator_.set_activity("waiting for the device");
    device_.wait(answered_[slot]);
    watch.lap(spent_.wait);
    const std::span<const std::int64_t> answer =
        answers_.span<std::int64_t>().subspan(slot * answer_words(), answer_words());
    std::ranges::copy(answer.first(tail_words()), now.tail.words().begin());
    now.result.gradient_norm = std::bit_cast<double>(answer[norm_at()]);
}

void DeviceStep::collect_state() {
    require(is_idle(), "state is collected between steps");
    if (!collectives_) return;
    for (const Optimizer::State& state : replica_.optimizer.states()) {
        const std::span<float> array = state.buffer.span<float>();
        for (std::int64_t bucket = 0; bucket < shards_.buckets(); ++bucket)
            collect_bucket(array, bucket);
    }
}

void DeviceStep::collect_bucket(std::span<float> array, std::int64_t bucket) {
    const std::span<const float> mine = elements(array, own_part(bucket));
    std::vector<std::byte> bytes(mine.size_bytes());
    device_.copy_out(bytes.data(), mine.data(), bytes.size());
    const std::vector<std::vector<std::byte>> all = communicator_.gather(bytes, 0);
    for (std::size_t rank = 1; rank < all.size(); ++rank) {
        const std::span<float> part = elements(array, shards_.elements_of(bucket, static_cast<int>(rank)));
        require(all[rank].size() == part.size_bytes(), "a rank gives the whole of its part");
        device_.copy_in(part.data(), all[rank].data(), all[rank].size());
    }
}

}  // namespace vae_dist
