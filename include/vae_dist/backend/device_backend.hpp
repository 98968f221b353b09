#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "vae_dist/backend/backend.hpp"

namespace vae_dist {

/// A backend whose memory is a device's, not the host's: pointers to it are for its operations alone. What is
/// asked of it is done later, in the order of the calls; only `copy_out`, the sums that Backend returns, and
/// `wait` wait for it.
class DeviceBackend : public Backend {
 public:
    /// Tells the device from every other one: find_devices()[...].id.
    virtual std::string device_id() const = 0;

    // --- Memory
    /// Memory of the host that the device reads and writes at full speed; zeroed.
    virtual Buffer allocate_pinned(std::size_t bytes) = 0;
    virtual void copy(void* to, const void* from, std::size_t bytes) = 0;
    /// As copy_out to pinned memory, but it returns at once: the numbers are there once `mark` has passed.
    virtual void start_copy_out(void* to_pinned, const void* from, std::size_t bytes) = 0;

    // --- Time
    using Mark = std::uint64_t;
    /// A point behind all that was asked for so far.
    virtual Mark mark() = 0;
    /// Whether all before the mark is done.
    virtual bool has_passed(Mark mark) = 0;
    virtual void wait(Mark mark) = 0;
    /// How this thread waits for the device: by waiter(is_so), which returns when is_so() is true and may
    /// throw. Until it is given one it looks again and again.
    using Waiter = std::function<void(const std::function<bool()>& is_so)>;
    virtual void wait_by(Waiter waiter) = 0;

    /// Calls body(). Calls with equal keys ask for the same operations on the same memory and shapes; other
    /// arguments may differ. From the second call on all of it is handed to the device at once, which costs
    /// the host far less. Nothing in the body waits for the device.
    virtual void repeatable(std::uint64_t key, const std::function<void()>& body) = 0;
    /// Nothing that `repeatable` was given is kept any longer; to be called before what bodies used goes.
    virtual void forget_repeatable() = 0;
    /// How many times memory has gone that bodies might have used, and with it all that `repeatable` kept.
    virtual std::int64_t memory_losses() const = 0;

    // --- Communication, by a library that queues its work in a stream (CUDA's cudaStream_t)
    /// Calls queue(stream); what is put there begins after all that was asked for so far, and goes on beside
    /// what is asked for afterwards. Not called while a body is repeated: what it did then is done again.
    virtual void communicate(const std::function<void(void* stream)>& queue) = 0;
    /// What is asked for from here on begins after all that was communicated so far.
    virtual void join_communication() = 0;

    // --- Operations whose results stay in the device's memory
    /// As ArrayOperations::add_exact; adds nothing to, or sets to 1 where that returns false, *misfits.
    virtual void add_exact(std::span<const float> values, int fraction_bits, std::int64_t addends,
                           bool overwrite, std::span<std::int64_t> to, std::int64_t* misfits) = 0;
    /// As that, of values[i] * factor in double, added.
    virtual void add_exact_terms(std::span<const double> values, double factor, int fraction_bits,
                                 std::int64_t addends, std::int64_t* to, std::int64_t* misfits) = 0;
    /// to[i] = the sum of squares of the i-th `chunk` elements of `values`, in double, in one fixed order.
    /// The last chunk may be shorter.
    virtual void sums_of_squares(std::span<const float> values, std::int64_t chunk, double* to) = 0;
    /// *norm = the root of the sum of `squares`, in one fixed order, or infinity where *misfits is not 0;
    /// *factor = clip_norm / norm where clip_norm > 0 and norm > clip_norm, else 1.
    virtual void clip_factor(std::span<const double> squares, const std::int64_t* misfits, double clip_norm,
                             double* norm, float* factor) = 0;
    /// values *= *factor.
    virtual void scale_by(std::span<float> values, const float* factor) = 0;

    using ArrayOperations::add_exact;
};

}  // namespace vae_dist
