#pragma once

#include <chrono>
#include <exception>
#include <functional>

#include "vae_dist/comm/communicator.hpp"

namespace vae_dist {

/// How long a rank with an error waits for the others, so that all ranks may throw the same error.
inline constexpr std::chrono::seconds kErrorTimeout{4};

/// Collective. Does `work` on every rank. If it throws on any, every rank throws the error of the lowest such
/// rank, of the same kind and marked as `on_all_ranks`. The message names the rank ("rank 1: ...") unless all
/// ranks threw the same message. Another exception becomes an `Error`: a failure with its message. `work`
/// must not use the communicator.
///
/// Ranks without an error wait for the others without a limit. A rank with an error waits for `timeout`; then
/// it throws its own error, not marked, and `abort` must end the other ranks, which are still at work.
void run_together(Communicator& communicator, const std::function<void()>& work,
                  std::chrono::milliseconds timeout = kErrorTimeout);

/// Collective. Rank 0 alone does `work` while the others wait. Every rank throws the error of rank 0,
/// unchanged.
void run_on_first_rank(Communicator& communicator, const std::function<void()>& work);

/// Collective. At least one rank has an error, the others pass nullptr. Throws on every rank as
/// `run_together` does.
[[noreturn]] void throw_together(Communicator& communicator, std::exception_ptr mine);

}  // namespace vae_dist
