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

/// A group of ranks and their collective calls. All ranks make the same calls in the same order, but for
/// `wait_until`, with spans of equal length unless said otherwise. A call returns when its result is there. A
/// failed call throws ErrorKind::failure naming the call and this rank. Lengths are 64-bit; implementations
/// cut calls into pieces where their library counts in `int`.
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

    /// The largest of all ranks' values; nullopt where not all ranks have made the call within `timeout`.
    /// This rank can then do nothing with the communicator but abort. Ranks may differ in their timeouts;
    /// milliseconds::max() means none. A long wait leaves the processor to other threads.
    virtual std::optional<std::int64_t> all_reduce_max_within(std::int64_t value,
                                                              std::chrono::milliseconds timeout) = 0;

    /// Copies `bytes` from rank `root` to all ranks.
    virtual void broadcast(std::span<std::byte> bytes, int root) = 0;

    /// The `bytes` of all ranks, in the order of ranks, on `root`; empty elsewhere. Lengths may differ.
    virtual std::vector<std::vector<std::byte>> gather(std::span<const std::byte> bytes, int root) = 0;

    virtual void barrier() = 0;

    /// Returns when `is_so()` is true. Other ranks make it true through memory that they share with this one;
    /// what they wrote before is visible if `is_so` reads with acquire. Not collective: the number of calls
    /// may differ between ranks. `is_so` is called again and again, with the pauses of a Backoff.
    virtual void wait_until(const std::function<bool()>& is_so) = 0;

    /// Messages between these ranks, which the communicator must outlive.
    virtual std::unique_ptr<Messages> make_messages() = 0;

    /// Sets this rank's activity, a string literal, which the failure detector reports where other ranks wait
    /// for this one. Does nothing without a failure detector.
    virtual void set_activity(const char* activity) { static_cast<void>(activity); }

    /// Ends the processes of all ranks at once, without a wait for them. Returns only where that is not
    /// possible.
    virtual void abort(int exit_status) noexcept = 0;
};

/// Collective. The `text` of rank `root`, on every rank; the `text` of other ranks does not matter.
std::string broadcast_text(Communicator& communicator, const std::string& text, int root);

}  // namespace vae_dist
