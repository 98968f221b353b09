#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "vae_dist/comm/messages.hpp"

namespace vae_dist {

/// A group of ranks that take part in every call together, but for `wait_until`: all of them make the same
/// calls in the same order, with spans of equal length unless said otherwise. Calls return when the result is
/// there. A failed call throws ErrorKind::failure naming the call and this rank. Lengths are 64-bit;
/// implementations cut calls into pieces where their library counts in `int`.
class Communicator {
 public:
    virtual ~Communicator() = default;

    virtual int rank() const = 0;
    virtual int size() const = 0;
    virtual std::string name() const = 0;  ///< "self", "mpi", ...

    /// Replaces each element by its sum over all ranks; the same bits on every rank. Integers wrap on
    /// overflow. The order of additions is the implementation's: sums of floats may differ between numbers of
    /// ranks.
    virtual void all_reduce_sum(std::span<std::int64_t> values) = 0;
    virtual void all_reduce_sum(std::span<float> values) = 0;

    /// Replaces each element by its maximum over all ranks; none of them NaN.
    virtual void all_reduce_max(std::span<std::int64_t> values) = 0;
    virtual void all_reduce_max(std::span<double> values) = 0;

    /// The largest of all ranks' values; nullopt where the others have not all come within `patience`, after
    /// which this rank can do nothing with the communicator but abort. Ranks may differ in patience;
    /// milliseconds::max() waits as long as it takes. A long wait leaves the processor to others.
    virtual std::optional<std::int64_t> all_reduce_max_within(std::int64_t value,
                                                              std::chrono::milliseconds patience) = 0;

    /// Copies `bytes` from rank `root` to all.
    virtual void broadcast(std::span<std::byte> bytes, int root) = 0;

    /// What every rank gave, in the order of ranks, on `root`; empty elsewhere. Lengths may differ.
    virtual std::vector<std::vector<std::byte>> gather(std::span<const std::byte> bytes, int root) = 0;

    virtual void barrier() = 0;

    /// Returns when `is_so()` is true, which other ranks make true through memory that they share with this
    /// one; what they wrote before is seen as far as `is_so` reads with acquire. No collective: a rank waits
    /// as often as it likes, and the others need not. Looks again and again: for some microseconds without a
    /// pause, then leaving the processor to others, after a while (about a millisecond) with short sleeps.
    virtual void wait_until(const std::function<bool()>& is_so) = 0;

    /// Messages between these ranks, which the communicator must outlive.
    virtual std::unique_ptr<Messages> make_messages() = 0;

    /// Sets this rank's activity, a string literal, which the failure detector reports where other ranks wait
    /// for this one. Does nothing without a failure detector.
    virtual void set_activity(const char* activity) { static_cast<void>(activity); }

    /// Ends the processes of all ranks at once, without waiting for them. Returns only where that cannot be
    /// done.
    virtual void abort(int exit_status) noexcept = 0;
};

/// Collective. The text that `root` gave, on every rank; what the others gave is not looked at.
std::string broadcast_text(Communicator& communicator, const std::string& text, int root);

}  // namespace vae_dist
