#pragma once

#include <cstdint>
#include <memory>

#include "vae_dist/comm/communicator.hpp"
#include "vae_dist/data/batch_loader.hpp"
#include "vae_dist/train/replica.hpp"
#include "vae_dist/train/step_tail.hpp"

namespace vae_dist {

/// The ELBO over every sample of the validation data once. Noise and binarization are the same at every call,
/// so that epochs can be compared; sums are exact, so that the result does not depend on the number of ranks.
class Validation {
 public:
    /// `data` has the training data's row shape and element type.
    Validation(const Config& config, std::unique_ptr<RowSource> data, VirtualRankRange mine,
               int ranks_on_this_machine, Communicator& communicator);

    /// Collective. Means per sample; NaN where a number was not finite. An error on any rank is thrown on
    /// all.
    ElboTerms run(Replica& replica);

    std::int64_t samples() const { return plan_->samples(); }
    std::int64_t bytes() const { return bytes_; }

 private:
    void add_samples(Replica& replica, StepTail& tail);

    Config config_;
    Communicator& communicator_;
    std::unique_ptr<EpochPlan> plan_;
    std::unique_ptr<BatchLoader> loader_;
    std::int64_t bytes_ = 0;
};

}  // namespace vae_dist
