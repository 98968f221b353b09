#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "train/step/device_sums.hpp"
#include "train/step/even_shards.hpp"
#include "vae_dist/backend/device_backend.hpp"
#include "vae_dist/comm/device_collectives.hpp"
#include "vae_dist/train/step/training_step.hpp"

namespace vae_dist {

/// Steps in a device's memory: the host only says what is to be done, and hears of a step's result while the
/// device is at the next one. Each rank adds up and updates its own parts, and gives them to the others.
class DeviceStep final : public TrainingStep {
 public:
    /// Collective. The replica's values move to memory that is padded to equal parts.
    DeviceStep(const Config& config, std::int64_t total_steps, Replica& replica, DeviceBackend& device,
               Communicator& communicator);
    ~DeviceStep() override;

    int depth() const override { return decides_before_update() ? 1 : static_cast<int>(kMostDepth); }
    void collect_state() override;
    std::int64_t bytes() const override;
    std::string description() const override;

 private:
    DeviceStep(const Config& config, std::int64_t total_steps, Replica& replica, DeviceBackend& device,
               Communicator& communicator, std::unique_ptr<DeviceCollectives> collectives);

    bool decides_before_update() const { return config_.train.on_nonfinite == NonFinitePolicy::skip; }
    ElementRange own_part(std::int64_t bucket) const {
        return shards_.elements_of(bucket, communicator_.rank());
    }

    void repeatable(UnderWay& now, const std::function<void()>& body) override;
    void forward(const VaeInput& input, UnderWay& now) override;
    void add(ElementRange range, PassPlace place) override;
    void sum(UnderWay& now) override;
    void await_sum(UnderWay& now) override;
    void update(UnderWay& now) override;

    bool repeats() const { return !collectives_ || collectives_->only_queues(); }
    // The words: the tail's; one with the bits of the norm, the last that the host reads; the chunks'
    // squares.
    std::size_t tail_words() const { return StepTail::kTerms + terms(); }
    std::size_t norm_at() const { return tail_words(); }
    std::size_t answer_words() const { return norm_at() + 1; }
    std::size_t squares_at() const { return answer_words(); }

    std::optional<std::uint64_t> agree_on_key(const UnderWay& now);
    void repeat(std::optional<std::uint64_t> key, const std::function<void()>& body);
    void reduce_up_to(std::int64_t end);
    void agree();
    void find_norm();
    void update_weights();
    void start_answer(const UnderWay& now);
    void collect_bucket(std::span<float> array, std::int64_t bucket);

    DeviceBackend& device_;
    /// What the ranks agree on each step, integers that are added up: StepTail's words; then room for the
    /// norm, which is not part of the sum; then the bits of each chunk's sum of squares, which one rank has.
    Buffer words_;
    Buffer zeros_;    ///< as many
    Buffer wishes_;   ///< this rank's host's tail
    Buffer clip_;     ///< (1) float, the gradient's factor
    Buffer answers_;  ///< pinned: (kMostDepth, answer_words()) words
    EvenShards shards_;
    std::unique_ptr<DeviceSums> sums_;
    std::array<DeviceBackend::Mark, kMostDepth> answered_{};  ///< behind each answer
    std::optional<std::uint64_t> key_;                        ///< by which this step is repeated
    bool has_passes_ = false;                                 ///< a pass was added in this step
    std::int64_t reduced_ = 0;        ///< buckets that were handed to the collectives in this step
    std::int64_t memory_losses_ = 0;  ///< of all ranks' devices
    /// None where there is one rank. Goes first: what it does uses the rest.
    std::unique_ptr<DeviceCollectives> collectives_;
};

}  // namespace vae_dist
