#pragma once

#include <cstdint>
#include <memory>

#include "vae_dist/comm/communicator.hpp"
#include "vae_dist/config/config.hpp"
#include "vae_dist/model/vae.hpp"
#include "vae_dist/train/step_tail.hpp"

namespace vae_dist {

/// Sums the gradients of all virtual ranks of all ranks. In a step every rank calls `begin`, then for each of
/// its virtual ranks `add` for ranges that together cover the flat array, then `reduce`, which leaves the sum
/// in the store's gradients.
class GradientReducer {
 public:
    virtual ~GradientReducer() = default;

    virtual void begin() = 0;
    /// Takes in elements [begin, end) of the store's gradients; the caller may then overwrite them.
    virtual void add(std::int64_t begin, std::int64_t end) = 0;
    /// Collective. Adds up gradients and `tail` over all ranks. If the tail says that a number was not
    /// finite, or that a rank failed, the gradients are unspecified.
    virtual void reduce(StepTail& tail) = 0;

    /// Bytes held besides the store's own.
    virtual std::int64_t bytes() const = 0;
};

/// exact: 64-bit integers of 2^-40, whose sums are the same bits for every number of ranks; float32: half the
/// bytes, sums whose last bits depend on the number of ranks.
std::unique_ptr<GradientReducer> make_gradient_reducer(Reduction reduction, ParameterStore& store,
                                                       Backend& backend, Communicator& communicator,
                                                       std::int64_t virtual_ranks);

}  // namespace vae_dist
