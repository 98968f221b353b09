#pragma once

#include <cstdint>
#include <deque>
#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "train/step/device_sums.hpp"
#include "train/step/engine.hpp"
#include "train/step/even_shards.hpp"
#include "vae_dist/backend/device_backend.hpp"
#include "vae_dist/comm/device_collectives.hpp"

namespace vae_dist {

/// Steps in a device's memory: the host only says what is to be done, and hears of a step's result while the
/// device is at the next one. Each rank adds up and updates its own parts, and gives them to the others.
class DeviceEngine final : public StepEngine {
 public:
    /// Collective. The replica's values move to memory that is padded to equal parts.
    DeviceEngine(const Config& config, std::int64_t total_steps, Replica& replica, DeviceBackend& device,
                 Communicator& communicator);
    ~DeviceEngine() override;

    void start(BatchLoader& loader, std::int64_t step, std::int64_t update, const AskForWishes& ask) override;
    StepResult finish() override;
    int depth() const override { return decides_before_update() ? 1 : kDepth; }
    void collect_state() override;
    const StepTimes& times() const override { return times_; }
    std::int64_t bytes() const override;
    std::string description() const override;

 private:
    static constexpr int kDepth = 2;

    /// A step that was started and not finished.
    struct Started {
        StepResult result;
        std::exception_ptr error;  ///< of this rank's host
        std::size_t slot = 0;      ///< of the answers
        DeviceBackend::Mark done = 0;
    };

    DeviceEngine(const Config& config, std::int64_t total_steps, Replica& replica, DeviceBackend& device,
                 Communicator& communicator, std::unique_ptr<DeviceCollectives> collectives);

    bool decides_before_update() const { return config_.train.on_nonfinite == NonFinitePolicy::skip; }
    ParameterStore& store() { return replica_.vae.parameters(); }
    ElementRange own_part(std::int64_t bucket) const {
        return shards_.elements_of(bucket, communicator_.rank());
    }

    const Batch* fetch(BatchLoader& loader, const AskForWishes& ask, Started& step);
    bool repeats() const { return !collectives_ || collectives_->only_queues(); }
    std::optional<std::uint64_t> agree_on_key(std::span<const Slice> passes, bool failed);
    void repeat(std::optional<std::uint64_t> key, const std::function<void()>& body);
    void add_up(const Batch* batch, std::span<const Slice> passes, double beta);
    void add_pass(const Batch& batch, const Slice& part, double beta, bool first, bool last);
    void reduce_up_to(std::int64_t end);
    void agree();
    void find_norm();
    void update_weights();
    void start_answer(Started& step);
    void read_answer(Started& step);
    void collect_bucket(std::span<float> array, std::int64_t bucket);

    Config config_;
    std::int64_t total_steps_;
    Replica& replica_;
    DeviceBackend& device_;
    Communicator& communicator_;
    /// What the ranks agree on each step, integers that are added up: StepTail's words; then room for the
    /// norm, which is not part of the sum; then the bits of each chunk's sum of squares, which one rank has.
    Buffer words_;
    Buffer zeros_;    ///< as many
    Buffer wishes_;   ///< this rank's host's tail
    Buffer clip_;     ///< (1) float, the gradient's factor
    Buffer answers_;  ///< pinned: (kDepth, kAnswer) words
    EvenShards shards_;
    std::unique_ptr<DeviceSums> sums_;
    std::int64_t reduced_ = 0;  ///< buckets that were handed to the collectives in this step
    std::deque<Started> started_;
    std::size_t next_slot_ = 0;
    std::int64_t memory_losses_ = 0;  ///< of all ranks' devices
    StepTimes spent_;                 ///< since a step was finished last
    StepTimes times_;
    /// None where there is one rank. Goes first: what it does uses the rest.
    std::unique_ptr<DeviceCollectives> collectives_;
};

}  // namespace vae_dist
