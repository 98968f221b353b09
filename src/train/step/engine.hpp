#pragma once

#include <cstdint>
#include <string>

#include "vae_dist/train/training_step.hpp"

namespace vae_dist {

/// What a TrainingStep is made of, by where the arrays lie: see there.
class StepEngine {
 public:
    virtual ~StepEngine() = default;

    virtual void start(BatchLoader& loader, std::int64_t step, std::int64_t update,
                       const AskForWishes& ask) = 0;
    virtual StepResult finish() = 0;
    virtual int depth() const = 0;
    virtual void collect_state() = 0;
    virtual const StepTimes& times() const = 0;
    virtual std::int64_t bytes() const = 0;
    virtual std::string description() const = 0;
};

}  // namespace vae_dist
