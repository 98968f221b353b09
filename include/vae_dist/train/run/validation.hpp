#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "vae_dist/comm/communicator.hpp"
#include "vae_dist/data/loader/batch_loader.hpp"
#include "vae_dist/train/run/training_data.hpp"
#include "vae_dist/train/step/replica.hpp"
#include "vae_dist/train/step/step_tail.hpp"

namespace vae_dist {

/// The ELBO over every sample of the validation data once. Noise and binarization are the same at every call,
/// so that epochs can be compared; sums are exact, so that the result does not depend on the number of ranks.
class Validation {
 public:
    /// Collective. Opens data.validation; an error on any rank is thrown on all: data of another row shape or
    /// element type than the training data, or fewer samples than virtual ranks.
    Validation(const Config& config, const TrainingData& training, Communicator& communicator);

    /// Collective. Means per sample; NaN where a number was not finite. An error on any rank is thrown on
    /// all. Every few batches the ranks look at `is_to_stop`; none where it is true on any: that was the last
    /// call then.
    std::optional<TermValues> run(Replica& replica, const std::function<bool()>& is_to_stop = {});

    std::int64_t samples() const { return plan_->samples(); }
    std::int64_t bytes() const { return bytes_; }

 private:
    void start(std::unique_ptr<RowSource> data, const TrainingData& training);
    void add_samples(Replica& replica, std::int64_t batches, StepTail& tail);

    Config config_;
    Communicator& communicator_;
    std::unique_ptr<EpochPlan> plan_;
    std::unique_ptr<BatchLoader> loader_;
    std::int64_t batch_size_;
    std::int64_t bytes_ = 0;
};

}  // namespace vae_dist
