#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "vae_dist/backend/backend.hpp"
#include "vae_dist/config/config.hpp"
#include "vae_dist/train/step/shard_plan.hpp"
#include "vae_dist/train/step/step_tail.hpp"

namespace vae_dist {

class Team;
struct SharedParameters;

/// Adds up the gradients of all virtual ranks of all ranks. Each rank gets the sums of its own parts (see
/// ShardPlan), chunk by chunk, so that what is done with a sum is done while it lies in the cache.
///
/// In a step every rank calls `begin`, then for each of its slices `add` for ranges that together cover the
/// flat array from its front to its end, then `reduce_tail`; then, unless the step is given up, for each
/// bucket `wait_for` and for each chunk of its own `sum`. Before the next step's gradients are written, all
/// ranks synchronize and complete their messages.
class GradientReducer {
 public:
    virtual ~GradientReducer() = default;

    /// A step begins.
    virtual void begin() = 0;
    /// Takes in elements [begin, end) of the store's gradients, of the slice that is under way; `last` where
    /// no other slice of this rank comes after it. A rank that adds several slices a step may overwrite them
    /// then; those of a rank with one are read where they lie.
    virtual void add(std::int64_t begin, std::int64_t end, bool last) = 0;
    /// Collective. Adds up `tail` over all ranks. Also after an error, with whatever there is: the others
    /// wait.
    virtual void reduce_tail(StepTail& tail) = 0;
    /// Returns when the sums of this rank's part of `bucket` can be formed.
    virtual void wait_for(std::int64_t bucket) = 0;
    /// to = the sum of all gradients of a chunk of a bucket that was waited for. False where a gradient is
    /// not finite or does not fit into the sum. May be called by several threads for different chunks; `to`
    /// may be the chunk in this rank's gradients.
    virtual bool sum(std::int64_t bucket, ElementRange chunk, std::span<float> to) = 0;
    /// Bytes held besides the store's own.
    virtual std::int64_t bytes() const = 0;
};

/// How the gradients of a step come in.
struct ReducerOptions {
    Reduction reduction = Reduction::exact;
    std::int64_t addends = 1;  ///< slices in a step, over all ranks, at the most
    std::int64_t slices = 1;   ///< of this rank, at the most
    /// Whether messages to other hosts start while the backward pass goes on.
    bool overlap = true;
};

/// Collective. exact: 64-bit integers of 2^-40, whose sums are the same bits for every number of ranks and
/// hosts; float32, bfloat16: sums whose last bits depend on them.
std::unique_ptr<GradientReducer> make_gradient_reducer(const ReducerOptions& options, const ShardPlan& plan,
                                                       SharedParameters& parameters, Backend& backend,
                                                       Team& team);

}  // namespace vae_dist
